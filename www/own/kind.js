// What a dropped or chosen file is, by its first bytes: names are given by people.

import { OwnFault } from './fault.js';

/** A run that the page saved, half of an IDX pair, or a picture. @typedef {'run'|'idx'|'picture'} Kind */

/** How each begins. @type {[Kind | 'zip', number[]][]} */
const BEGINNINGS = [
  ['idx', [0x1f, 0x8b]],
  ['idx', [0, 0, 8]],
  ['zip', [0x50, 0x4b, 3, 4]],
  ['picture', [0x89, 0x50, 0x4e, 0x47]],
  ['picture', [0xff, 0xd8, 0xff]],
  ['picture', [0x47, 0x49, 0x46, 0x38]],
];

/** @param {Uint8Array} head @param {number[]} beginning */
const begins = (head, beginning) => beginning.every((byte, k) => head[k] === byte);

/** A safetensors file begins with the length of its header, eight bytes, and the header's brace. @param {Uint8Array} head */
const isRun = (head) => head[6] === 0 && head[7] === 0 && head[8] === 0x7b;

/**
 * @param {File} file
 * @returns {Promise<Kind>}   or an OwnFault, where it is nothing that can be used here
 */
export async function kindOf(file) {
  const { name } = file;
  if (/\.safetensors$/i.test(name)) return 'run';
  const head = await file.slice(0, 16).arrayBuffer().then((buffer) => new Uint8Array(buffer), (error) => {
    // A folder is dropped as a file, too.
    throw new OwnFault('unreadable', name, { detail: error instanceof Error ? error.message : String(error) });
  });
  if (head.length === 0) throw new OwnFault('empty', name);
  const [kind] = BEGINNINGS.find(([, beginning]) => begins(head, beginning)) ?? [];
  if (kind === 'zip') throw new OwnFault('zip', name);
  if (/\.gz$/i.test(name) && !begins(head, [0x1f, 0x8b])) throw new OwnFault('notGzip', name);
  if (kind) return kind;
  if (isRun(head)) return 'run';
  // Other kinds of picture: whether it is one shows when it is decoded.
  if (file.type.startsWith('image/')) return 'picture';
  // What is called IDX is to be told what its beginning should be.
  if (/idx\d?(-ubyte)?$/i.test(name)) return 'idx';
  throw new OwnFault('unknown', name);
}
