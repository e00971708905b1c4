// The two networks as rows of blocks: what each layer makes, how large it is, and
// what it learns. A list in words; the blocks only illustrate it.

import { layerDetail, layerKind, number, t } from '../i18n/index.js';
import { blockOf, stagesOf } from '../networks.js';

/** @typedef {import('../networks.js').Stage} Stage */
/** @typedef {import('../protocol.js').Network} Network */

/**
 * @param {string} tag
 * @param {string} className
 * @param {string} [text]
 */
function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/** @param {string} tag @param {Record<string, string | number>} attributes */
function draw(tag, attributes) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

/** How far back a depth of 1 goes, to the right and up. */
const [RIGHT, UP] = [0.8, 0.45];

/** A box seen from its front, a little from the right and above. @param {number[]} shape */
function block(shape) {
  const { width: w, height: h, depth } = blockOf(shape);
  const [dx, dy] = [depth * RIGHT, depth * UP];
  const points = (/** @type {number[][]} */ corners) => corners.map((corner) => corner.join()).join(' ');
  // A pixel all around, for the outline.
  const svg = draw('svg', { width: w + dx + 2, height: h + dy + 2, viewBox: `-1 ${-dy - 1} ${w + dx + 2} ${h + dy + 2}`, 'aria-hidden': 'true' });
  if (depth > 0) {
    svg.append(
      draw('polygon', { class: 'top', points: points([[0, 0], [dx, -dy], [w + dx, -dy], [w, 0]]) }),
      draw('polygon', { class: 'side', points: points([[w, 0], [w + dx, -dy], [w + dx, h - dy], [w, h]]) }),
    );
  }
  svg.append(draw('rect', { class: 'front', width: w, height: h, rx: depth > 0 ? 0 : 1.5 }));
  return svg;
}

/** @param {Stage} stage @param {string} source   what goes in, if nothing makes it */
function stageItem({ layers, shape, parameters }, source) {
  const item = make('li', '');
  const [first = source, ...more] = layers.flatMap(layerWords);
  item.append(block(shape), make('span', 'what', first));
  if (more.length > 0) item.append(make('span', 'how', more.map((word) => word.replaceAll(' ', '\u00a0')).join(', ')));
  item.append(make('span', 'extents', shape.map((extent) => number(extent, { useGrouping: false })).join('×')));
  if (parameters > 0) {
    const count = make('span', 'learnt', number(parameters));
    count.append(make('span', 'unseen', ` ${t('network.unit')}`));
    item.append(count);
  }
  return item;
}

/** @param {import('../protocol.js').Layer} layer @returns {string[]} */
function layerWords({ kind, detail }) {
  // That numbers are laid out otherwise shows in their extents.
  if (kind === 'reshape') return [];
  if (kind === 'activation') return [layerDetail(detail)];
  const name = kind === 'label' ? `+ ${layerKind(kind)}` : layerKind(kind);
  return detail ? [name, layerDetail(detail)] : [name];
}

export class NetworksView {
  /** What was asked for last: answers that come later than the next question are dropped. */
  #asked = '';
  /** @type {Network[]} */
  #networks = [];

  /** @param {(settings: string) => Promise<Network[] | null>} ask */
  constructor(ask) {
    this.ask = ask;
    this.element = make('section', 'group networks');
  }

  /** Those that these settings build; settings that are none change nothing. @param {string} settings */
  async show(settings) {
    this.#asked = settings;
    const networks = await this.ask(settings).catch(() => null);
    if (!networks || this.#asked !== settings) return;
    if (JSON.stringify(networks) === JSON.stringify(this.#networks)) return;
    this.#networks = networks;
    this.build();
  }

  /** Draws all anew, as after a change of language. */
  build() {
    this.element.setAttribute('aria-label', t('network.label'));
    this.element.replaceChildren(...this.#networks.map((network) => {
      const figure = make('figure', `network ${network.network}`);
      const name = make('figcaption', '');
      const n = number(network.parameters, { notation: 'compact', maximumSignificantDigits: 3 });
      const total = make('span', 'total', t('network.parameters', { n }));
      total.title = t('network.parameters', { n: number(network.parameters) });
      name.append(make('b', network.network, t(`network.${network.network}`)), ' ', total);
      const list = make('ol', '');
      list.append(...stagesOf(network).map((stage) => stageItem(stage, t(`network.${network.network}Input`))));
      figure.append(name, list);
      return figure;
    }));
  }
}
