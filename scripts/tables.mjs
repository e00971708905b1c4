// `npm run tables -- docs/presets.md`: runs each command `compare` that the file shows and puts what it prints in place of the table below
// it. The figures change with the engine and the machine; the text between the tables is somebody's to read again.

import { readFileSync, writeFileSync } from 'node:fs';
import { Explained, heard, shown } from './command.mjs';
import { explain } from './failure.mjs';
import { inRoot } from './places.mjs';
import { say } from './report.mjs';

/** A shell block of one command, and the table that follows it. */
const PIECE = /```sh\n((?:digit-forge )?compare [^`]*?)\n```\n\n((?:\|.*\n)+)/g;

async function main() {
  const files = process.argv.slice(2);
  if (files.length === 0) throw new Explained('Name the files whose tables are to be made: npm run tables -- docs/presets.md');
  await shown('cargo', ['build', '--release', '--package', 'digit-forge-cli']);
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    const pieces = [...text.matchAll(PIECE)];
    if (pieces.length === 0) throw new Explained(`${file} shows no command \`compare\` with a table below it.`);
    for (const [index, [, command, table]] of pieces.entries()) {
      say(`${file}: table ${index + 1} of ${pieces.length}`);
      const made = run(command.replace(/^digit-forge /, ''));
      // Each by itself, since all of them take a while. The text may hold "$".
      writeFileSync(file, readFileSync(file, 'utf8').replace(table, () => made));
    }
  }
}

/** @param {string} command @returns {string} the table that it prints */
function run(command) {
  const printed = heard('sh', ['-c', `"$0" ${command}`, inRoot('target', 'release', 'digit-forge')]);
  const table = printed?.match(/(?:^\|.*(?:\n|$))+/m)?.[0];
  if (!table) throw new Explained(`No table came of: ${command}`);
  return `${table.trimEnd()}\n`;
}

await main().catch(explain);
