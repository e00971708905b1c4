// jax-js: the whole step is one jitted function. Adam is written here, since @jax-js/optax isn't published. Every call
// takes its arrays over; `.ref` keeps one for another use.

import { blockUntilReady, defaultDevice, init, jit, lax, nn, numpy as np, random, tree, valueAndGrad, vjp } from '@jax-js/jax';
import {
  BETA1, BETA2, DIGITS, EPSILON, INNER, LABEL_SCALE, SLOPE, choice, dense, models, normals, oneHot, signs, twice, weight, zeros,
} from './models.js';

/** @typedef {import('@jax-js/jax').Array} Array */
/** @typedef {import('./page.js').Work} Work */
/** @typedef {import('./models.js').Model} Model */

/** Calls whose operations wait for their submission together: jax-js is lazy, and looks through all that wait. */
const CHAIN = 8;
const CHAINED_BYTES = 1 << 28;

/**
 * @param {'webgpu' | 'wasm'} device
 * @param {import('./tasks.js').Task} task
 * @param {import('./page.js').Files} files
 * @returns {Promise<Work>}
 */
export async function openJax(device, task, files) {
  if (!(await init(device)).includes(device)) throw new Error(`jax-js has no device ${device} here`);
  defaultDevice(device);
  if (task.kind === 'bare') throw new Error('only ours tells a step from its products');
  const work = task.kind === 'step' ? gan(models[task.model], files.first(models[task.model].batch)) : product(task);
  return {
    ...work,
    async run(times, slice) {
      defaultDevice(device);
      await work.run(times, slice);
    },
  };
}

/** @param {Float32Array} values @param {number[]} shape */
const array = (values, shape) => np.array(/** @type {Float32Array<ArrayBuffer>} */ (values)).reshape(shape);

/** @param {import('./tasks.js').ProductTask} task @returns {Work} */
function product({ m, k, n, transposed }) {
  const a = array(normals(m * k, 1), transposed === 'a' ? [k, m] : [m, k]);
  const b = array(normals(k * n, 1), transposed === 'b' ? [n, k] : [k, n]);
  const turned = (/** @type {Array} */ x, /** @type {boolean} */ turn) => (turn ? np.transpose(x) : x);
  // The third array ties a product to the one before it, so that waiting for the last one waits for all.
  const multiply = jit((/** @type {Array} */ a, /** @type {Array} */ b, /** @type {Array} */ before) => {
    before.dispose();
    return np.matmul(turned(a, transposed === 'a'), turned(b, transposed === 'b'));
  });
  const chain = Math.max(1, Math.min(8 * CHAIN, Math.floor(CHAINED_BYTES / (4 * m * n))));
  let y = np.zeros([m, n]);
  return {
    async run(times) {
      for (let i = 1; i <= times; i++) {
        y = multiply(a.ref, b.ref, y);
        if (i % chain === 0 || i === times) await y.blockUntilReady();
      }
    },
    free() {
      tree.dispose([a, b, y]);
      multiply.dispose();
    },
  };
}

/** @typedef {{ p: Array[], m: Array[], v: Array[] }} Learnt   weights and their moments */

/** @param {import('./models.js').Start[]} starts @returns {Learnt} */
const learnt = (starts) => {
  const all = (/** @type {(start: import('./models.js').Start) => Float32Array} */ of) =>
    starts.map((start) => array(of(start), start.shape));
  const none = (/** @type {import('./models.js').Start} */ { values }) => new Float32Array(values.length);
  return { p: all(({ values }) => values), m: all(none), v: all(none) };
};

/**
 * Adam, with both corrections in the rate.
 * @param {Learnt} old
 * @param {Array[]} gradients
 * @param {Array} t the number of this update
 * @param {number} rate
 * @returns {Learnt}
 */
function adam({ p, m, v }, gradients, t, rate) {
  const root = np.sqrt(np.exp(t.ref.mul(Math.log(BETA2))).mul(-1).add(1));
  const paced = root.mul(rate).div(np.exp(t.mul(Math.log(BETA1))).mul(-1).add(1));
  const next = /** @type {Learnt} */ ({ p: [], m: [], v: [] });
  gradients.forEach((gradient, i) => {
    const mean = m[i].mul(BETA1).add(gradient.ref.mul(1 - BETA1));
    const square = v[i].mul(BETA2).add(gradient.ref.mul(gradient).mul(1 - BETA2));
    next.p.push(p[i].sub(paced.ref.mul(mean.ref).div(np.sqrt(square.ref).add(EPSILON))));
    next.m.push(mean);
    next.v.push(square);
  });
  paced.dispose();
  return next;
}

/** @typedef {{ key: Array, t: Array, g: Learnt, d: Learnt, average: Array[], losses: Array[] }} State */
/** @typedef {{ images: Array, label: Array, half: Array, both: Array, signs: Array }} Data */
/** @typedef {{ g: Learnt, d: Learnt, generate: (p: Array[], z: Array) => Array, discriminate: (p: Array[], x: Array) => Array }} Networks */

/** @param {Model} model @param {import('./models.js').Images} real @returns {Work} */
function gan(model, real) {
  const { batch } = model;
  const { g, d, generate, discriminate } = model.channels ? convolutional(model) : mlp(model);
  const [half, both] = [choice(model, real.labels), choice(model, twice(real.labels))];
  /** @type {Data} */
  const data = {
    images: array(real.pixels, [batch, 784]),
    label: array(oneHot(real.labels, LABEL_SCALE), [batch, DIGITS]),
    half: array(half.values, half.shape),
    both: array(both.values, both.shape),
    signs: array(signs(batch), [2 * batch]),
  };
  /** @type {State} */
  let state = {
    key: random.key(1),
    t: array(new Float32Array(1), []),
    g,
    d,
    average: model.average ? g.p.map((weight) => weight.ref) : [],
    losses: [array(new Float32Array(1), []), array(new Float32Array(1), [])],
  };

  /** @param {Array[]} d @param {Array} images @param {Array} pick @returns {Array} `[rows]` */
  const logits = (d, images, pick) => np.sum(discriminate(d, images).mul(pick), 1);

  const step = jit((/** @type {State} */ state, /** @type {Data} */ data) => {
    tree.dispose(state.losses);
    const t = state.t.add(1);
    const [key, drawn] = random.split(state.key);
    const noise = random.normal(drawn, [batch, model.noise]);
    const input = model.channels ? np.concatenate([noise, data.label], 1) : noise;
    if (!model.channels) data.label.dispose();

    const [fakes, back] = vjp((/** @type {Array[]} */ p) => generate(p, input.ref), [tree.ref(state.g.p)]);
    input.dispose();
    const rows = np.concatenate([data.images, fakes.ref], 0);
    const [dLoss, dGradients] = valueAndGrad((/** @type {Array[]} */ p) =>
      np.mean(nn.softplus(logits(p, rows.ref, data.both.ref).mul(data.signs.ref))).mul(2),
    )(tree.ref(state.d.p));
    tree.dispose([rows, data.both, data.signs]);
    const d = adam(state.d, dGradients, t.ref, model.dRate);

    const [gLoss, slope] = valueAndGrad((/** @type {Array} */ images) =>
      np.mean(nn.softplus(logits(tree.ref(d.p), images, data.half.ref).mul(-1))),
    )(fakes);
    data.half.dispose();
    const [gGradients] = back(slope);
    back.dispose();
    const g = adam(state.g, gGradients, t.ref, model.gRate);
    const average = state.average.map((mean, i) => mean.mul(model.average).add(g.p[i].ref.mul(1 - model.average)));
    return /** @type {State} */ ({ key, t, g, d, average, losses: [dLoss, gLoss] });
  });

  return {
    async run(times) {
      for (let i = 1; i <= times; i++) {
        state = /** @type {State} */ (step(/** @type {any} */ (state), /** @type {any} */ (tree.ref(data))));
        if (i % CHAIN === 0 || i === times) await blockUntilReady([state.losses[1], state.g.p[0]]);
      }
    },
    losses: () => Promise.all(state.losses.map(async (loss) => (await loss.ref.data())[0])),
    free() {
      tree.dispose(state);
      tree.dispose(data);
      step.dispose();
    },
  };
}

/** @param {Array} x */
const leaky = (x) => nn.leakyRelu(x, SLOPE);

/** @param {Model} model @returns {Networks} */
function mlp(model) {
  /** @param {Array[]} p @param {Array} x */
  const network = (p, x) => {
    for (let i = 0; i < p.length; i += 2) {
      x = np.matmul(x, p[i]).add(p[i + 1]);
      if (i + 2 < p.length) x = leaky(x);
    }
    return x;
  };
  return {
    g: learnt(dense(model.g)),
    d: learnt(dense(model.d)),
    generate: (p, z) => np.tanh(network(p, z)),
    discriminate: network,
  };
}

/** Channels first, as jax-js has its convolutions. @param {Model} model @returns {Networks} */
function convolutional({ noise, channels }) {
  const inner = INNER * INNER * 2 * channels;
  /** @type {[number, number][]} */
  const pad = [[1, 1], [1, 1]];
  return {
    g: learnt([
      weight([noise + DIGITS, inner], noise + DIGITS), zeros([inner]),
      weight([channels, 2 * channels, 4, 4], 8 * channels), zeros([channels, 1, 1]),
      weight([1, channels, 4, 4], 4 * channels, 1), zeros([1, 1, 1]),
    ]),
    d: learnt([
      weight([channels, 1, 4, 4], 16), zeros([channels, 1, 1]),
      weight([2 * channels, channels, 4, 4], 16 * channels), zeros([2 * channels, 1, 1]),
      weight([inner, DIGITS + 1], inner, 1), zeros([DIGITS + 1]),
    ]),
    generate(p, z) {
      const x = nn.relu(np.matmul(z, p[0]).add(p[1])).reshape([-1, 2 * channels, INNER, INNER]);
      const y = nn.relu(lax.convTranspose(x, p[2], [2, 2], pad).add(p[3]));
      return np.tanh(lax.convTranspose(y, p[4], [2, 2], pad).add(p[5])).reshape([-1, 784]);
    },
    discriminate(p, images) {
      const x = leaky(lax.conv(images.reshape([-1, 1, 28, 28]), p[0], [2, 2], pad).add(p[1]));
      const y = leaky(lax.conv(x, p[2], [2, 2], pad).add(p[3]));
      return np.matmul(y.reshape([-1, inner]), p[4]).add(p[5]);
    },
  };
}
