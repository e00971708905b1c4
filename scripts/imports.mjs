// What the compiled engine asks of its JavaScript glue, under short names: wasm-bindgen's own are 60 characters each,
// and hold a hash that no compression shortens. Files of our own that they use ("snippets") lie beside the glue.

import { Explained } from './command.mjs';

/** The section of a module that lists its imports. */
const IMPORTS = 2;
/** The glue's name as a module. */
const MODULE = 'g';
/** A file of our own, as wasm-bindgen names it. */
const SNIPPET = /\.\/snippets\/[^"]*\/([^"/]+\.js)/g;
/** Bytes before a module's first section. */
const HEADER = 8;

/** @param {Uint8Array} bytes */
function reader(bytes, at = 0) {
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  const slice = (/** @type {number} */ length) => bytes.subarray(at, (at += length));
  const text = () => new TextDecoder().decode(slice(number()));
  return { number, slice, text, at: () => at };
}

/** LEB128, as the format writes its numbers. @param {number} value */
function number(value) {
  const bytes = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return [...bytes, value];
}

/** @param {string} text */
const named = (text) => [...number(text.length), ...new TextEncoder().encode(text)];

/**
 * @param {string} glue
 * @returns {{glue: string, names: Map<string, string>}} the same with short names, and which they are
 */
function shortenGlue(glue) {
  const module = /^ {8}"\.\/\w+_bg\.js": import0,$/m;
  if (!module.test(glue)) throw new Explained("wasm-bindgen's glue names its module in another way now: see scripts/imports.mjs.");
  /** @type {Map<string, string>} */
  const names = new Map();
  const shortened = glue.replace(module, `        "${MODULE}": import0,`).replace(/^ {8}(__wb\w+): function/gm, (_, name) => {
    names.set(name, names.size.toString(36));
    return `        "${names.get(name)}": function`;
  });
  return { glue: shortened.replace(SNIPPET, './$1'), names };
}

/**
 * @param {Uint8Array} wasm whose imports are all functions, of the glue
 * @param {Map<string, string>} names
 * @returns {Uint8Array}
 */
function shortenModule(wasm, names) {
  const all = reader(wasm, HEADER);
  while (all.at() < wasm.length) {
    const start = all.at();
    const [section] = all.slice(1);
    const imports = reader(all.slice(all.number()));
    if (section !== IMPORTS) continue;
    const count = imports.number();
    const rewritten = number(count);
    for (let i = 0; i < count; i++) {
      const module = imports.text();
      const name = imports.text();
      const [kind] = imports.slice(1);
      const beside = module.replace(SNIPPET, './$1');
      const isOurs = beside !== module;
      const short = isOurs ? name : names.get(name);
      if (kind !== 0 || !short) throw new Explained(`The engine imports ${name}, and the glue has no such function.`);
      rewritten.push(...named(isOurs ? beside : MODULE), ...named(short), 0, ...number(imports.number()));
    }
    const parts = [wasm.subarray(0, start), Uint8Array.of(IMPORTS, ...number(rewritten.length), ...rewritten), wasm.subarray(all.at())];
    return Buffer.concat(parts);
  }
  throw new Explained('The engine imports nothing.');
}

/**
 * @param {string} glue of wasm-bindgen
 * @param {Uint8Array[]} modules that it serves
 * @returns {{glue: string, modules: Uint8Array[]}} the same with short names
 */
export function shortenImports(glue, modules) {
  const shortened = shortenGlue(glue);
  return { glue: shortened.glue, modules: modules.map((wasm) => shortenModule(wasm, shortened.names)) };
}
