// A pad to draw a digit on, with a finger, a pen, a mouse or the arrow keys. It keeps strokes, not pixels, so that it
// follows the theme and a stroke can be taken back.

import { greyOf } from '../own/pictures.js';

/** Of the side. */
const STROKE = 0.075;
const KEY_STEP = 0.04;
/** Pixels of the canvas, and of the picture that is handed on. */
const SIDE = 400;
const PICTURE = 280;

/** From 0 to 1. @typedef {[number, number]} Point */

/** @type {Record<string, Point>} */
const ARROWS = { ArrowLeft: [-KEY_STEP, 0], ArrowRight: [KEY_STEP, 0], ArrowUp: [0, -KEY_STEP], ArrowDown: [0, KEY_STEP] };

export class PadView extends EventTarget {
  /** @type {Point[][]} */
  #strokes = [];
  /** The stroke under way. @type {Point[] | null} */
  #stroke = null;
  /** Where the keyboard's pen is. @type {Point} */
  #pen = [0.5, 0.25];

  /**
   * Events: change · pen (after a key has lowered or lifted it)
   * @param {HTMLCanvasElement} canvas
   * @param {{digit: (digit: number) => void, add: () => void}} wishes   by keyboard
   */
  constructor(canvas, wishes) {
    super();
    this.canvas = canvas;
    this.wishes = wishes;
    canvas.width = canvas.height = SIDE;
    canvas.addEventListener('pointerdown', (event) => this.#press(event));
    canvas.addEventListener('pointermove', (event) => this.#move(event));
    for (const end of ['pointerup', 'pointercancel']) canvas.addEventListener(end, () => this.#lift());
    canvas.addEventListener('keydown', (event) => this.#key(event));
    for (const change of ['focus', 'blur']) canvas.addEventListener(change, () => this.repaint());
    canvas.addEventListener('blur', () => this.#lift());
    this.repaint();
  }

  get isEmpty() {
    return this.#strokes.length === 0;
  }

  get penIsDown() {
    return this.#stroke !== null;
  }

  undo() {
    this.#stroke = null;
    this.#strokes.pop();
    this.#changed();
  }

  get strokes() {
    return this.#strokes.length;
  }

  /** The first strokes: what has been drawn since stays. @param {number} count */
  forget(count) {
    this.#strokes.splice(0, count);
    if (this.isEmpty) this.#stroke = null;
    this.#changed();
  }

  clear() {
    this.forget(this.strokes);
  }

  /** Black on white. @returns {import('../own/pictures.js').Grey} */
  picture() {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = PICTURE;
    this.#paint(canvas, 'black');
    return greyOf(canvas, PICTURE, PICTURE, 'white');
  }

  /** In the theme's ink. */
  repaint() {
    this.#paint(this.canvas, getComputedStyle(this.canvas).color);
    if (this.canvas.matches(':focus-visible')) this.#showPen();
  }

  /** @param {HTMLCanvasElement} canvas @param {string} ink */
  #paint(canvas, ink) {
    const context = canvas.getContext('2d');
    if (!context) return;
    const { width: side } = canvas;
    context.clearRect(0, 0, side, side);
    Object.assign(context, { strokeStyle: ink, lineWidth: STROKE * side, lineCap: 'round', lineJoin: 'round' });
    for (const [first, ...others] of this.#strokes) {
      if (!first) continue;
      context.beginPath();
      context.moveTo(first[0] * side, first[1] * side);
      // A line to its own beginning is a dot.
      for (const [x, y] of others.length > 0 ? others : [first]) context.lineTo(x * side, y * side);
      context.stroke();
    }
  }

  #showPen() {
    const context = this.canvas.getContext('2d');
    if (!context) return;
    const [x, y] = this.#pen;
    context.strokeStyle = getComputedStyle(this.canvas).outlineColor;
    context.lineWidth = this.penIsDown ? 6 : 2;
    context.beginPath();
    context.arc(x * SIDE, y * SIDE, (STROKE * SIDE) / 2 + 4, 0, 2 * Math.PI);
    context.stroke();
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.#begin(this.#place(event));
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (!this.#stroke || !this.canvas.hasPointerCapture(event.pointerId)) return;
    // Safari has had them only since 18.2.
    const events = event.getCoalescedEvents?.() ?? [];
    this.#stroke.push(...(events.length > 0 ? events : [event]).map((e) => this.#place(e)));
    this.repaint();
  }

  #lift() {
    this.#stroke = null;
  }

  /** @param {Point} point */
  #begin(point) {
    this.#stroke = [point];
    this.#strokes.push(this.#stroke);
    this.#changed();
  }

  /** @param {PointerEvent} event @returns {Point} */
  #place({ clientX, clientY }) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height];
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) this.#go(arrow);
    else if (event.key === ' ') this.#turnPen();
    else if (/^\d$/.test(event.key)) this.wishes.digit(Number(event.key));
    else if (event.key === 'Enter') this.wishes.add();
    else if (event.key === 'Backspace') this.undo();
    else return;
    event.preventDefault();
  }

  /** @param {Point} by */
  #go([dx, dy]) {
    const within = (/** @type {number} */ v) => Math.min(1 - STROKE / 2, Math.max(STROKE / 2, v));
    this.#pen = [within(this.#pen[0] + dx), within(this.#pen[1] + dy)];
    this.#stroke?.push(this.#pen);
    this.repaint();
  }

  #turnPen() {
    if (this.penIsDown) this.#lift();
    else this.#begin(this.#pen);
    this.repaint();
    this.dispatchEvent(new Event('pen'));
  }

  #changed() {
    this.repaint();
    this.dispatchEvent(new Event('change'));
  }
}
