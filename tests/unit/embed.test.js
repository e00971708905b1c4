// The page within a page: the messages it obeys, the address of its frame.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeOf, frameAddress } from '../../www/element.js';
import { readMessage } from '../../www/embed.js';

test('messages of others are none of our business', () => {
  for (const data of [null, undefined, 'play', 7, {}, { type: 'other', command: 'play' }]) assert.equal(readMessage(data), null);
});

test('a known command is obeyed', () => {
  assert.deepEqual(readMessage({ type: 'digit-forge', command: 'play', extra: 1 }), { command: { command: 'play' } });
  assert.deepEqual(readMessage({ type: 'digit-forge', command: 'set', settings: 'seed=3' }), { command: { command: 'set', settings: 'seed=3' } });
});

test('a command that is wrong is refused with its reason, in no language', () => {
  const commands = 'play, pause, step, restart, set';
  /** @param {object} more */
  const refusal = (more) => readMessage({ type: 'digit-forge', ...more })?.refusal;
  assert.deepEqual(refusal({}), { part: 'command', command: 'undefined', commands });
  assert.deepEqual(refusal({ command: 'fly' }), { part: 'command', command: '"fly"', commands });
  assert.deepEqual(refusal({ command: { play: 1 } }), { part: 'command', command: '{"play":1}', commands });
  for (const settings of [{ seed: 3 }, 'quick', '']) {
    assert.deepEqual(refusal({ command: 'set', settings }), { part: 'settings', command: 'set', commands });
  }
});

/** @param {Record<string, string>} attributes */
const frame = (attributes) => frameAddress((name) => attributes[name] ?? null, 'https://host.example/forge/element.js');

test('the element’s frame lies beside its script', () => {
  assert.equal(frame({}), 'https://host.example/forge/index.html?embed=1');
});

test('attributes become the frame’s address, preset and settings in the hash', () => {
  assert.equal(
    frame({ preset: 'quick', lang: 'zh', autostart: '0', settings: 'batch=32&seed=7' }),
    'https://host.example/forge/index.html?embed=1&lang=zh&autostart=0#preset=quick&batch=32&seed=7',
  );
});

test('an attribute that changes is told as the address would say it', () => {
  const change = (/** @type {string} */ name, /** @type {Record<string, string>} */ attributes) => changeOf(name, (key) => attributes[key] ?? null);
  assert.equal(change('theme', { theme: 'dark', lang: 'zh' }), 'theme=dark');
  assert.equal(change('view', { view: 'a&b' }), 'view=a%26b');
  assert.equal(change('preset', { preset: 'conv', settings: 'seed=7' }), 'preset=conv&seed=7');
  assert.equal(change('settings', { preset: 'conv', settings: '' }), 'preset=conv');
  // What is gone is as usual again; but whose language that is can't be told.
  assert.equal(change('theme', {}), 'theme=auto');
  assert.equal(change('lang', {}), '');
  assert.equal(change('settings', {}), '');
});
