// `npm run setup`: everything up to the built engine, and the tests' tools with it. `node scripts/setup.mjs data wasm`
// performs only these steps and what they need.

import { explain } from './failure.mjs';
import { perform, steps } from './steps.mjs';

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in steps));
if (unknown.length) {
  console.error(`Unknown: ${unknown.join(', ')}. The steps are ${Object.keys(steps).join(', ')}.`);
  process.exit(2);
}
await perform(...(asked.length ? asked : ['data', 'wasm', 'wasmPack', 'browsers'])).catch(explain);
