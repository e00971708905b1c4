// WebAssembly's binary format, as far as what the build does to a module needs it: sections, and the numbers and names in them.

/** Bytes before a module's first section. */
const HEADER = 8;

/** Sections by what they hold. */
export const CUSTOM = 0;
export const IMPORTS = 2;
export const CODE = 10;

/** @param {Uint8Array} bytes */
export function reader(bytes, at = 0) {
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
export function number(value) {
  const bytes = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return [...bytes, value];
}

/** A name behind its length. @param {string} text */
export const named = (text) => {
  const bytes = new TextEncoder().encode(text);
  return [...number(bytes.length), ...bytes];
};

/** A whole section. @param {number} kind @param {number[]} content */
export const section = (kind, content) => Uint8Array.of(kind, ...number(content.length), ...content);

/**
 * @param {Uint8Array} wasm
 * @param {number} kind of section
 * @returns {{content: Uint8Array, before: Uint8Array, after: Uint8Array} | undefined} the first such section, and what is around it
 */
export function find(wasm, kind) {
  const all = reader(wasm, HEADER);
  while (all.at() < wasm.length) {
    const start = all.at();
    const [found] = all.slice(1);
    const content = all.slice(all.number());
    if (found === kind) return { content, before: wasm.subarray(0, start), after: wasm.subarray(all.at()) };
  }
  return undefined;
}
