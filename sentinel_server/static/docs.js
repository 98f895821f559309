// Reads openapi.json and shows it. Everything that comes from a server is written with textContent only.
"use strict";

const element = (tag, text, className) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
};

const pretty = (value) => JSON.stringify(value, null, 2);

const resolve = (api, schema) => {
  const name = schema.$ref && schema.$ref.split("/").pop();
  return name ? api.components.schemas[name] : schema;
};

const example = (api, schema, depth = 0) => {
  const known = resolve(api, schema);
  if (known.examples) return known.examples[0];
  if (known.default !== undefined) return known.default;
  if (known.enum) return known.enum[0];
  if (known.const !== undefined) return known.const;
  if (known.anyOf) return example(api, known.anyOf[0], depth);
  if (known.type === "object" && known.properties && depth < 6) {
    const wanted = new Set(known.required || []);
    const members = Object.entries(known.properties).filter(([name]) => wanted.has(name));
    return Object.fromEntries(members.map(([name, member]) => [name, example(api, member, depth + 1)]));
  }
  if (known.type === "array") return depth < 6 && known.items ? [example(api, known.items, depth + 1)] : [];
  return { string: "", integer: 0, number: 0, boolean: false, object: {} }[known.type] ?? null;
};

const field = (form, name, control) => {
  const label = element("label", name);
  label.append(control);
  form.append(label);
  return control;
};

const call = async (method, path, key, body, output) => {
  const headers = key ? { authorization: `Bearer ${key}` } : {};
  if (body !== null) headers["content-type"] = "application/json";
  output.textContent = "...";
  try {
    const answer = await fetch(path, { method, headers, body });
    output.textContent = `${answer.status}\n`;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) output.textContent += part.value;
  } catch (error) {
    output.textContent = String(error);
  }
};

const tryOut = (api, method, path, operation) => {
  const form = element("form");
  const parameters = operation.parameters || [];
  const values = Object.fromEntries(parameters.map(({ name }) => [name, field(form, name, element("input"))]));
  const schema = operation.requestBody && operation.requestBody.content["application/json"].schema;
  const body = schema && field(form, "Request body", element("textarea"));
  if (body) body.value = pretty(example(api, schema));
  const key = field(form, "API key (kept in this page only)", element("input"));
  key.type = "password";
  key.autocomplete = "off";
  form.append(element("button", "Send"));
  const output = element("pre");
  output.setAttribute("aria-live", "polite");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const query = new URLSearchParams();
    let target = path;
    for (const { name, in: place } of parameters) {
      const { value } = values[name];
      if (place === "path") target = target.replace(`{${name}}`, encodeURIComponent(value));
      else if (value) query.set(name, value);
    }
    if (String(query)) target += `?${query}`;
    call(method.toUpperCase(), `.${target}`, key.value, body ? body.value : null, output);
  });
  form.append(output);
  return form;
};

const shown = (api, title, content) => {
  const schema = content && content["application/json"].schema;
  if (!schema || !Object.keys(schema).length) return [];
  return [element("h3", title), element("pre", pretty(resolve(api, schema)))];
};

const entry = (api, method, path, operation) => {
  const details = element("details");
  const summary = element("summary");
  summary.append(element("code", method.toUpperCase(), "method"), element("code", path));
  summary.append(element("span", operation.summary, "about"));
  const inside = element("div");
  inside.append(...shown(api, "Request", operation.requestBody && operation.requestBody.content));
  inside.append(...shown(api, "Response", operation.responses["200"].content));
  inside.append(element("h3", "Try it"), tryOut(api, method, path, operation));
  details.append(summary, inside);
  return details;
};

const show = (api) => {
  document.title = `${api.info.title} API`;
  document.getElementById("title").textContent = `${api.info.title} ${api.info.version}`;
  document.getElementById("description").textContent = api.info.description;
  const main = document.getElementById("operations");
  const groups = new Map();
  for (const [path, operations] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = (operation.tags || ["other"])[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(entry(api, method, path, operation));
    }
  }
  for (const [tag, entries] of groups) main.append(element("h2", tag), ...entries);
  main.removeAttribute("aria-busy");
};

fetch("openapi.json")
  .then((answer) => answer.json())
  .then(show)
  .catch((error) => { document.getElementById("description").textContent = `openapi.json could not be read: ${error}`; });
