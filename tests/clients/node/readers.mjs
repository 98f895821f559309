// Reads streams on demand, one a line of standard input: `node readers.mjs URL` with the lines "openai" and
// "eventsource-parser". Answers each with one line of JSON: the objects read, and the error that ended them, if any.

import { createInterface } from "node:readline";
import OpenAI from "openai";
import { createParser } from "eventsource-parser";

const [, , url] = process.argv;
const client = new OpenAI({ baseURL: url, apiKey: "none", maxRetries: 0 });
const asked = { model: "m", messages: [], stream: true };

const readers = {
  async openai(objects) {
    for await (const chunk of await client.chat.completions.create(asked)) objects.push(chunk);
  },
  async "eventsource-parser"(objects) {
    const parser = createParser({
      onEvent: ({ id, event, data }) => objects.push({ id, event, data }),
      onRetry: (ms) => objects.push({ retry: ms }),
      onError: (error) => objects.push({ error: error.message }),
    });
    const response = await fetch(url, { method: "POST", body: "{}" });
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) parser.feed(text);
  },
};

for await (const name of createInterface({ input: process.stdin })) {
  const objects = [];
  let error;
  try {
    await readers[name](objects);
  } catch ({ message, code, type }) {
    error = { message, code, type };
  }
  process.stdout.write(`${JSON.stringify({ objects, error })}\n`);
}
