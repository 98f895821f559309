// The official `openai` package against a gateway: `node openai.mjs URL`.

import OpenAI, { APIError } from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { collect, report } from "./reporting.mjs";

const client = new OpenAI({ baseURL: `${process.argv[2]}/v1`, apiKey: "sk-own" });
const messages = [{ role: "user", content: "hi" }];
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tools = [{ type: "function", function: { name: "weather", parameters } }];
const City = z.object({ city: z.string() });

const ask = (model, more) => client.chat.completions.create({ model, messages, ...more });
const stream = async (model, more) => collect(await ask(model, { stream: true, ...more }));

const describe = (error) => ({
  classes: [error.constructor.name, error instanceof APIError],
  status: error.status,
  code: error.code,
  type: error.type,
  message: error.message,
  request_id: error.requestID,
  should_retry: error.headers?.get("x-should-retry"),
});

await report(
  {
    async unary() {
      const { data, response, request_id } = await ask("good").withResponse();
      return { data, request_id, header: response.headers.get("x-request-id") };
    },
    models: () => collect(client.models.list(), (model) => model.id),
    stream: () => stream("good"),
    stream_with_usage: () => stream("usage", { stream_options: { include_usage: true } }),
    stream_after_silence: () => stream("silent"),
    tools: () => ask("tools", { tools }),
    async tools_streamed() {
      const events = client.chat.completions.stream({ model: "tools-streamed", messages, tools });
      return { completion: await events.finalChatCompletion(), text: await events.finalContent() };
    },
    async tools_run() {
      const said = [];
      const runnable = { ...tools[0].function, function: ({ city }) => `hot in ${city}`, parse: JSON.parse };
      const asked = { model: "tools-run", messages, tools: [{ type: "function", function: runnable }] };
      const runner = client.chat.completions.runTools(asked);
      runner.on("functionToolCallResult", (result) => said.push(result));
      return { said, text: await runner.finalContent() };
    },
    async structured() {
      const response_format = zodResponseFormat(City, "city");
      const answer = await client.chat.completions.parse({ model: "structured", messages, response_format });
      return answer.choices[0].message.parsed;
    },
    text: async () => (await client.completions.create({ model: "text", prompt: "hi" })).choices[0].text,
    async text_streamed() {
      const chunks = await client.completions.create({ model: "text-streamed", prompt: "hi", stream: true });
      return collect(chunks, (chunk) => chunk.choices[0].text);
    },
    embeddings: async () => (await client.embeddings.create({ model: "embeddings", input: "hi" })).data[0].embedding,
    unknown: () => ask("nobody"),
    overlong: () => ask("overlong"),
    limited: () => ask("limited"),
    limited_once: () => ask("limited-once"),
    limited_long: () => ask("limited-long"),
    budget: () => ask("budget"),
    quota: () => ask("quota"),
    down: () => ask("down"),
    down_streamed: () => stream("down-streamed"),
    html: () => ask("html"),
    broken: () => stream("broken"),
    cut: () => stream("cut"),
  },
  describe,
);
