// Runs cases one after the other and prints one JSON object: what each of them gave, or which error it met.

// Between two tries a client waits for up to eight seconds. Such waits are recorded and cut short. Timers of a minute
// and more are a client's limits on whole requests, those of a few milliseconds only yield, and Node's own keep
// connections open: these stay as they are.
const SHORTEST_MS = 5;
const LONGEST_MS = 60_000;
const setTimer = globalThis.setTimeout;
let waits = [];

globalThis.setTimeout = (callback, ms, ...args) => {
  const between = ms >= SHORTEST_MS && ms < LONGEST_MS && new Error().stack.includes("/node_modules/");
  if (!between) return setTimer(callback, ms, ...args);
  waits.push(ms);
  return setTimer(callback, 1, ...args);
};

// `cases` maps names to async functions; `describe` makes JSON of what a client throws.
export async function report(cases, describe) {
  const results = {};
  for (const [name, run] of Object.entries(cases)) {
    waits = [];
    results[name] = await outcome(run, describe);
    if (waits.length) results[name].waits = waits;
  }
  process.stdout.write(JSON.stringify(results));
}

// What a run gave, as { value }, or the error that it met. `partial` of an error is what came before it.
async function outcome(run, describe) {
  try {
    return { value: await run() };
  } catch (error) {
    return { error: { ...describe(error), partial: error.partial } };
  }
}

// All items of a stream; an error in the middle carries what came before it.
export async function collect(stream, pick = (item) => item) {
  const items = [];
  try {
    for await (const item of stream) items.push(pick(item));
  } catch (error) {
    throw Object.assign(error, { partial: items });
  }
  return items;
}
