// Every setting of the core has its words in every language of the page, and
// none has words left over. Needs the wasm package: `npm run wasm` builds it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { detailOf, reasonFor, setLanguage } from '../../www/i18n/index.js';
import { core } from '../../www/i18n/zh.js';
import { placeOf, sliderStops } from '../../www/views/slider.js';
import { describe, initSync, resolve } from '../../www/pkg/digit_forge_wasm.js';

initSync({ module: readFileSync(new URL('../../www/pkg/digit_forge_wasm_bg.wasm', import.meta.url)) });
/** @type {import('../../www/protocol.js').Description} */
const description = JSON.parse(describe());
const { groups, settings, presets } = description;

test('Chinese words stand for exactly what the core describes', () => {
  assert.deepEqual(Object.keys(core.groups).sort(), groups.map(({ key }) => key).sort());
  assert.deepEqual(Object.keys(core.settings).sort(), settings.map(({ key }) => key).sort());
  assert.deepEqual(Object.keys(core.presets).sort(), presets.map(({ name }) => name).sort());
  const choices = settings.filter((setting) => setting.choices);
  assert.deepEqual(Object.keys(core.choices).sort(), choices.map(({ key }) => key).sort());
  for (const { key, choices: all = [] } of choices) {
    assert.deepEqual(Object.keys(core.choices[key] ?? {}).sort(), all.map(({ value }) => value).sort(), key);
  }
  for (const words of [...Object.values(core.settings), ...Object.values(core.presets)]) assert.ok(words.label && words.help);
});

test('every way a setting can be wrong has a reason in both languages', () => {
  const text = 'preset=quik&batch=abc&foo=1&bach=3&loss=x&gWidths=1,2,x&gRate=9';
  /** @type {import('../../www/protocol.js').Resolved} */
  const { errors, preset } = JSON.parse(resolve(text));
  assert.equal(preset, 'quick');
  setLanguage('en');
  const all = (/** @type {string[]} */ names) => `one of ${names.join(', ')} is expected`;
  const losses = settings.find(({ key }) => key === 'loss')?.choices ?? [];
  assert.deepEqual(Object.fromEntries(errors.map((error) => [error.key, reasonFor(error, description)])), {
    preset: all(presets.map(({ name }) => name)),
    batch: 'a whole number from 1 to 1024 is expected',
    foo: 'there is no such setting',
    bach: 'there is no such setting; did you mean batch?',
    loss: all(losses.map(({ value }) => value)),
    gWidths: 'at most 6 whole numbers from 1 to 2048, joined by commas, are expected',
    gRate: 'a number from 0.000001 to 1 is expected',
  });
  setLanguage('zh');
  for (const error of errors) assert.match(reasonFor(error, description), /^(应为|没有)/);
});

test('each stop of a slider is a value of its own within the range, and stands at its place; a default is one', () => {
  const ranged = settings.filter(({ key, kind, min, max }) => key !== 'seed' && kind !== 'widths' && min !== undefined && max !== undefined);
  assert.ok(ranged.length > 20);
  for (const setting of ranged) {
    const stops = sliderStops(setting);
    assert.deepEqual([stops[0], stops.at(-1)], [setting.min, setting.max], setting.key);
    assert.ok(stops.every((stop, place) => placeOf(stops, stop) === place && stop > (stops[place - 1] ?? -1)), setting.key);
    assert.ok(stops.includes(Number(setting.default)), setting.key);
  }
});

test('what the core says of a file’s setting is said in the language of the page', () => {
  const said = '`batch=99999`: expected a whole number from 1 to 1024';
  setLanguage('en');
  assert.equal(detailOf(said, description), '“batch = 99999”: a whole number from 1 to 1024 is expected');
  setLanguage('zh');
  assert.equal(detailOf(said, description), '“batch = 99999”应为 1 到 1024 之间的整数');
  assert.equal(detailOf('unknown setting `bach` (did you mean `batch`?)', description), '“bach”没有这项设置，是不是想写 batch？');
  assert.equal(detailOf('`clock` is missing', description), '`clock` is missing');
});
