// The address and the settings: what it says, what it is made to say.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fullText, hasSettings, isForeign, mergeHash, readAddress, shareLink, withChange, without, withView, writeHash } from '../../www/state.js';

test('the page’s own words are told apart from settings', () => {
  const { options, settings, errors } = readAddress('?embed=1&lang=zh', '#preset=quick&batch=32&engine=cpu&threads=2&autostart=0');
  assert.deepEqual(options, { embed: true, lang: 'zh', theme: null, view: 'averaged', autostart: false, engine: 'cpu', threads: 2, doctor: true });
  assert.equal(settings, 'preset=quick&batch=32');
  assert.deepEqual(errors, []);
});

test('settings in the query count only where the hash has none', () => {
  assert.equal(readAddress('?preset=quick&batch=8', '').settings, 'preset=quick&batch=8');
  assert.equal(readAddress('?preset=quick&batch=8', '#theme=dark').settings, 'preset=quick&batch=8');
  assert.equal(readAddress('?preset=quick&batch=8', '#seed=4').settings, 'seed=4');
});

test('the hash has the last word', () => {
  assert.equal(readAddress('?engine=gpu', '#engine=cpu').options.engine, 'cpu');
});

test('a bad word of the page is reported with its key, value and what is allowed', () => {
  const { options, errors } = readAddress('?theme=pink&engine=', '');
  assert.deepEqual(readAddress('?threads=0', '').errors, [{ key: 'threads', value: '0', message: 'must be one of 1, 2, 3, 4, 5, 6, 7, 8, auto' }]);
  assert.equal(readAddress('?threads=auto', '').options.threads, null);
  assert.equal(options.theme, null);
  assert.equal(options.engine, 'auto');
  assert.deepEqual(errors.map(({ key, value }) => [key, value]), [['theme', 'pink'], ['engine', '']]);
  assert.match(errors[0]?.message ?? '', /auto, light, dark/);
});

test('names that every object has are no words of the page', () => {
  const { errors, settings } = readAddress('?theme=constructor', '#toString=1');
  assert.equal(errors.length, 1);
  assert.equal(settings, 'toString=1');
});

test('a broken escape neither throws nor vanishes', () => {
  assert.equal(readAddress('?lang=%E0%A4', '').errors[0]?.value, '%E0%A4');
  assert.equal(readAddress('', '#batch=%E0%A4').settings, 'batch=%E0%A4');
});

test('settings reach the core untouched', () => {
  assert.equal(readAddress('', '#g-widths=256%2C256&x').settings, 'g-widths=256%2C256&x');
});

test('a new hash keeps the page’s words', () => {
  assert.equal(writeHash('preset=quick&seed=2', '#engine=cpu&batch=9'), '#preset=quick&seed=2&engine=cpu');
});

test('a word of the page that means nothing leaves the hash, as a refused setting does', () => {
  assert.equal(writeHash('seed=2', '#engine=GPU&lang=fr&theme=dark'), '#seed=2&theme=dark');
});

test('a hash without settings says nothing of what to train', () => {
  for (const hash of ['', '#', '#controls', '#section2', '#a&b', '#theme=dark', '#lang=zh&view=both']) assert.ok(!hasSettings(hash), hash);
  for (const hash of ['#seed=3', '#theme=dark&batch=8', '#foo=1']) assert.ok(hasSettings(hash), hash);
  assert.equal(readAddress('?seed=3', '#section2').settings, 'seed=3');
  assert.equal(readAddress('', '#section2').settings, '');
});

test('what a change of the hash doesn’t name stays', () => {
  const hash = '#preset=quick&seed=2&engine=cpu&view=both';
  assert.equal(mergeHash(hash, '#section2'), hash);
  assert.equal(mergeHash(hash, ''), hash);
  assert.equal(mergeHash(hash, '#view=raw&theme=dark'), '#preset=quick&seed=2&engine=cpu&view=raw&theme=dark');
  assert.equal(mergeHash(hash, 'batch=8&view=raw'), '#batch=8&engine=cpu&view=raw');
  assert.equal(readAddress('', mergeHash(hash, 'engine=tpu')).options.engine, 'cpu', 'what is refused takes no place');
});

test('settings of the query are mixed with what other sites add', () => {
  assert.equal(readAddress('?seed=3&fbclid=x', '').mixed, true);
  assert.equal(readAddress('?fbclid=x', '#seed=3').mixed, false);
});

test('a key of another site is told from one of ours with a slip in it', () => {
  const unknown = (/** @type {string} */ key, near = '') => isForeign({ key, value: '1', message: `unknown setting \`${key}\`${near && ` (did you mean \`${near}\`?)`}` });
  for (const key of ['utm_source', 'fbclid']) assert.ok(unknown(key), key);
  // So short that everything is like them.
  for (const [key, near] of [['ref', 'r1'], ['id', 'r1'], ['gclid', 'clip']]) assert.ok(unknown(key ?? '', near), key);
  for (const [key, near] of [['bach', 'batch'], ['bacth', 'batch'], ['batchh', 'batch'], ['batsh', 'batch'], ['Seeds', 'seed'], ['grat', 'gRate'], ['theem', '']]) assert.ok(!unknown(key ?? '', near), key);
  assert.equal(isForeign({ key: 'batch', value: '0', message: '`batch=0`: a whole number is expected' }), false);
});

test('a word chosen in the page leaves the address', () => {
  assert.equal(without('?lang=zh&embed=1', 'lang'), '?embed=1');
  assert.equal(without('#lang=zh', 'lang'), '');
  assert.equal(without('', 'lang'), '');
});

test('a change of one setting keeps the others', () => {
  assert.equal(withChange({ preset: 'quick', changed: { batch: '32' } }, { seed: '7' }), 'preset=quick&batch=32&seed=7');
});

test('a new preset drops changes but keeps a chosen seed', () => {
  const from = { preset: 'quick', changed: { batch: '32', seed: '7' } };
  assert.equal(withChange(from, { preset: 'primer-tf' }), 'preset=primer-tf&seed=7');
  assert.equal(withChange({ preset: 'quick', changed: { batch: '32' } }, { preset: 'primer-tf' }), 'preset=primer-tf');
});

test('values are escaped on their way into the text', () => {
  assert.equal(withChange({ preset: 'quick', changed: {} }, { widths: '1&seed=2' }), 'preset=quick&widths=1%26seed%3D2');
});

test('the seed always shows', () => {
  assert.equal(fullText({ text: 'preset=quick', values: { seed: '1' }, changed: {} }), 'preset=quick&seed=1');
  assert.equal(fullText({ text: 'preset=quick&seed=5', values: { seed: '5' }, changed: { seed: '5' } }), 'preset=quick&seed=5');
});

test('a shared link names engine, doctor and view only if they were asked for', () => {
  const link = (/** @type {'auto'|'cpu'} */ engine, /** @type {'averaged'|'both'} */ view, doctor = true) => shareLink('https://a.b/c/', 'preset=quick&seed=1', { engine, doctor }, view);
  assert.equal(link('auto', 'averaged'), 'https://a.b/c/#preset=quick&seed=1');
  assert.equal(link('cpu', 'averaged'), 'https://a.b/c/#preset=quick&seed=1&engine=cpu');
  assert.equal(link('auto', 'both'), 'https://a.b/c/#preset=quick&seed=1&view=both');
  assert.equal(link('cpu', 'averaged', false), 'https://a.b/c/#preset=quick&seed=1&engine=cpu&doctor=off');
});

test('the hash names a view that isn’t the usual one', () => {
  assert.equal(withView('#preset=quick&view=raw', 'both'), '#preset=quick&view=both');
  assert.equal(withView('#view=raw', 'averaged'), '');
  assert.equal(withView('', 'raw'), '#view=raw');
});
