// Checkpoint files on their way in and out.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkpointName, MOST_MEGABYTES, readFile } from '../../www/checkpoints.js';

test('a file is named by its preset and its step', () => {
  assert.equal(checkpointName('primer-case', 1200), 'digit-forge-primer-case-1200.safetensors');
});

test('a file is read whole', async () => {
  assert.deepEqual(await readFile(new File(['abc'], 'x')), new Uint8Array([97, 98, 99]));
});

test('a file that is too large is not read at all', async () => {
  const arrayBuffer = async () => assert.fail('it was read');
  await assert.rejects(readFile({ size: MOST_MEGABYTES * 1e6 + 1, arrayBuffer }), { fault: 'large' });
});

test('a folder, or a file that has gone, is unreadable, and the browser says why', async () => {
  const arrayBuffer = async () => {
    throw new Error('not found');
  };
  await assert.rejects(readFile({ size: 1, arrayBuffer }), { fault: 'unreadable', message: 'not found' });
});
