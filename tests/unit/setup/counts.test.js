// How `npm test` counts: a crash, an empty run and a failure must never look like success.

import assert from 'node:assert/strict';
import test from 'node:test';
import { cargoCounts, nodeCounts, oneCheck, verdict } from '../../../scripts/counts.mjs';

const cargo = `
test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s
test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 filtered out; finished in 0.10s
`;

test('cargo results are summed over test programs', () => {
  assert.deepEqual(cargoCounts(cargo), { passed: 15, failed: 2 });
});

test('coloured cargo results are read too', () => {
  const coloured = 'test result: \x1b[32mok\x1b[0m. 4 passed; 0 failed; 0 ignored';
  assert.deepEqual(cargoCounts(coloured), { passed: 4, failed: 0 });
});

test('a line that only quotes a result is not counted', () => {
  assert.deepEqual(cargoCounts('  note: test result: ok. 9 passed; 9 failed;'), { passed: 0, failed: 0 });
});

test('node results are read from both reporters, and a cancelled test has failed', () => {
  assert.deepEqual(nodeCounts('ℹ pass 7\nℹ fail 1\nℹ cancelled 2\n'), { passed: 7, failed: 3 });
  assert.deepEqual(nodeCounts('# pass 5\n# fail 0\n# cancelled 0\n'), { passed: 5, failed: 0 });
});

test('a crash is a failure whatever was counted', () => {
  assert.deepEqual(verdict({ passed: 5, failed: 0 }, false), { passed: 5, failed: 1 });
  assert.deepEqual(verdict(oneCheck('', false), false), { passed: 0, failed: 1 });
});

test('a run without tests is a failure', () => {
  assert.deepEqual(verdict({ passed: 0, failed: 0 }, true), { passed: 0, failed: 1 });
});

test('a clean run is what was counted', () => {
  assert.deepEqual(verdict({ passed: 5, failed: 0 }, true), { passed: 5, failed: 0 });
});
