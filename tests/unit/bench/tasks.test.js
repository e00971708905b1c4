// The products that the benches time are those of the MLP's step.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameOf, shapes, squares, stepProducts } from '../../../bench/tasks.js';

test("the step's products are all that the core counts", () => {
  // As crates/core/src/bench.rs has them.
  const sum = (/** @type {number[]} */ ...parts) => parts.reduce((total, part) => total + part, 0);
  const [g, d] = [[100 * 256, 256 * 512, 512 * 784], [784 * 512, 512 * 256, 256]];
  const forwardG = 64 * sum(...g);
  const trainD = 128 * (2 * sum(...d) + sum(...d.slice(1)));
  const trainG = 64 * (2 * sum(...d) + sum(...g) + sum(...g.slice(1)));
  assert.equal(stepProducts.reduce((total, { m, k, n }) => total + m * k * n, 0), forwardG + trainD + trainG);
});

test('a shape is timed once, under a name of its own', () => {
  const names = shapes.map(nameOf);
  assert.equal(new Set(names).size, names.length);
  assert.ok(stepProducts.every((task) => names.includes(nameOf(task))));
});

test('squares grow, so that the first one that takes too long is the last', () => {
  assert.ok(squares.every(({ m, k, n }, i) => m === k && k === n && (i === 0 || m > squares[i - 1].m)));
});
