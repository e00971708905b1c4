// What the compiled engine asks of its JavaScript glue, under short names: wasm-bindgen's own are 60 characters each,
// and hold a hash that no compression shortens. Files of our own that they use ("snippets") lie beside the glue.

import { Explained } from './command.mjs';
import { IMPORTS, find, named, number, reader, section } from './sections.mjs';

/** The glue's name as a module. */
const MODULE = 'g';
/** A file of our own, as wasm-bindgen names it. */
const SNIPPET = /\.\/snippets\/[^"]*\/([^"/]+\.js)/g;

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
  const found = find(wasm, IMPORTS);
  if (!found) throw new Explained('The engine imports nothing.');
  const imports = reader(found.content);
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
  return Buffer.concat([found.before, section(IMPORTS, rewritten), found.after]);
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
