// Vercel's `ai` with three of its providers against a gateway: `node ai_sdk.mjs URL`.

import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, Output, RetryError, embed, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { collect, report } from "./reporting.mjs";

const settings = { baseURL: `${process.argv[2]}/v1`, apiKey: "sk-own" };
const options = { name: "sentinel", includeUsage: true, supportsStructuredOutputs: true };
const compatible = createOpenAICompatible({ ...options, ...settings });
const openai = createOpenAI(settings);
const claude = createAnthropic(settings);

const prompt = "hi";
const maxOutputTokens = 9;
const City = z.object({ city: z.string() });
const weather = tool({ inputSchema: City, execute: ({ city }) => `hot in ${city}` });
const tools = { weather };

const ask = async (model, more) => {
  const result = await generateText({ model, prompt, maxOutputTokens, ...more });
  const { text, finishReason, usage, toolCalls, response } = result;
  const seen = { text, finishReason, usage: plain(usage), toolCalls: toolCalls.map(called) };
  return { ...seen, request_id: response.headers["x-request-id"] };
};
// A stream's parts as they come; what goes wrong is a part of its own.
const stream = async (model, more) => {
  const result = streamText({ model, prompt, maxOutputTokens, onError: () => {}, ...more });
  const parts = await collect(result.fullStream, part);
  return { parts, text: parts.map((item) => item.text ?? "").join("") };
};

const plain = ({ inputTokens, outputTokens, totalTokens }) => ({ inputTokens, outputTokens, totalTokens });
const called = ({ toolName, input }) => ({ toolName, input });
const part = ({ type, text, error, toolName, input, output, totalUsage, finishReason }) => ({
  type,
  text: type === "text-delta" ? text : undefined,
  error: error && describe(error),
  tool: toolName && { toolName, input, output },
  usage: totalUsage && plain(totalUsage),
  finishReason,
});

function describe(error) {
  const tries = RetryError.isInstance(error) ? error.errors.length : 1;
  const last = RetryError.isInstance(error) ? error.lastError : error;
  return {
    classes: [error.constructor.name, APICallError.isInstance(last)],
    status: last.statusCode,
    retryable: last.isRetryable,
    message: last.message ?? last,
    data: last.data,
    request_id: last.responseHeaders?.["x-request-id"],
    tries,
  };
}

await report(
  {
    unary: () => ask(compatible("good")),
    stream: () => stream(compatible("usage")),
    stream_after_silence: () => stream(compatible("silent")),
    tools: () => ask(compatible("tools"), { tools: { weather: tool({ inputSchema: City }) } }),
    tools_run: () => ask(compatible("tools-run"), { tools, stopWhen: stepCountIs(2) }),
    tools_run_streamed: () => stream(compatible("tools-run-streamed"), { tools, stopWhen: stepCountIs(2) }),
    structured: async () =>
      (await generateText({ model: compatible("structured"), prompt, output: Output.object({ schema: City }) })).output,
    text: () => ask(compatible.completionModel("text")),
    async embeddings() {
      const { embedding } = await embed({ model: compatible.embeddingModel("embeddings-floats"), value: "hi" });
      return embedding;
    },
    unknown: () => ask(compatible("nobody")),
    overlong: () => ask(compatible("overlong")),
    limited: () => ask(compatible("limited")),
    limited_once: () => ask(compatible("limited-once")),
    budget: () => ask(compatible("budget")),
    down: () => ask(compatible("down")),
    broken: () => stream(compatible("broken")),
    cut: () => stream(compatible("cut")),

    openai_chat: () => ask(openai.chat("good")),
    openai_chat_stream: () => stream(openai.chat("usage")),
    openai_responses: () => ask(openai("response")),
    openai_responses_stream: () => stream(openai("response-streamed")),

    claude_unary: () => ask(claude("claude-good")),
    claude_translated: () => ask(claude("good")),
    claude_tools: () => ask(claude("claude-run"), { tools, stopWhen: stepCountIs(2) }),
    claude_stream: () => stream(claude("claude-tools-streamed"), { tools: { weather: tool({ inputSchema: City }) } }),
    claude_stream_translated: () => stream(claude("usage")),
    claude_stream_after_silence: () => stream(claude("claude-silent")),
    claude_overloaded: () => ask(claude("claude-overloaded"), { maxRetries: 0 }),
    claude_limited: () => ask(claude("claude-limited")),
    claude_broken: () => stream(claude("claude-broken")),
  },
  describe,
);
