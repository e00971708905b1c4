// TensorFlow.js: eager operations in tf.tidy, gradients from tf.variableGrads, tf.train.adam. The scripts that index.html
// loads put it into the global `tf`: the union bundle and the two backends.

import {
  BETA1, BETA2, DIGITS, EPSILON, INNER, LABEL_SCALE, SLOPE, choice, dense, models, normals, oneHot, signs, twice, weight, zeros,
} from './models.js';

/** @typedef {import('@tensorflow/tfjs').Tensor} Tensor */
/** @typedef {import('@tensorflow/tfjs').Tensor2D} Tensor2D */
/** @typedef {import('@tensorflow/tfjs').Tensor4D} Tensor4D */
/** @typedef {import('@tensorflow/tfjs').Variable} Variable */
/** @typedef {import('./page.js').Work} Work */
/** @typedef {import('./models.js').Model} Model */

/** @type {typeof import('@tensorflow/tfjs') & { wasm: { setWasmPaths(path: string): void, setThreadsCount(count: number): void } }} */
const tf = /** @type {any} */ (self).tf;

/**
 * @param {'webgpu' | 'wasm'} backend
 * @param {import('./tasks.js').Task} task
 * @param {import('./page.js').Files} files
 * @returns {Promise<Work>}
 */
export async function openTensorFlow(backend, task, files) {
  if (backend === 'wasm' && tf.getBackend() !== 'wasm' && !tf.engine().registry.wasm) {
    tf.wasm.setWasmPaths(new URL('packages/@tensorflow/tfjs-backend-wasm/dist/', location.href).href);
    tf.wasm.setThreadsCount(1);
  }
  const use = async () => {
    if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no backend ${backend} here`);
  };
  await use();
  if (task.kind === 'bare') throw new Error('only ours tells a step from its products');
  const work = task.kind === 'step' ? gan(models[task.model], files.first(models[task.model].batch)) : product(task);
  return {
    ...work,
    async run(times, slice) {
      await use();
      await work.run(times, slice);
    },
  };
}

/** @param {import('./tasks.js').ProductTask} task @returns {Work} */
function product({ m, k, n, transposed }) {
  const a = tf.tensor2d(normals(m * k, 1), transposed === 'a' ? [k, m] : [m, k]);
  const b = tf.tensor2d(normals(k * n, 1), transposed === 'b' ? [n, k] : [k, n]);
  return {
    async run(times) {
      for (let i = 1; i < times; i++) tf.matMul(a, b, transposed === 'a', transposed === 'b').dispose();
      const last = tf.matMul(a, b, transposed === 'a', transposed === 'b');
      // One value says that all is done; the whole result would be copied too.
      const value = last.slice([0, 0], [1, 1]);
      await value.data();
      tf.dispose([last, value]);
    },
    free: () => tf.dispose([a, b]),
  };
}

/** @param {Model} model @param {import('./models.js').Images} real @returns {Work} */
function gan(model, real) {
  const { batch } = model;
  const { g, d, generate, discriminate } = model.channels ? convolutional(model) : mlp(model);
  const kept = tf.tidy(() => {
    const onlyHalf = choice(model, real.labels);
    const both = choice(model, twice(real.labels));
    return {
      images: tf.tensor2d(real.pixels, [batch, 784]),
      label: tf.tensor2d(oneHot(real.labels, LABEL_SCALE), [batch, DIGITS]),
      half: tf.tensor2d(onlyHalf.values, /** @type {[number, number]} */ (onlyHalf.shape)),
      both: tf.tensor2d(both.values, /** @type {[number, number]} */ (both.shape)),
      signs: tf.tensor2d(signs(batch), [2 * batch, 1]),
    };
  });
  const average = model.average ? tf.tidy(() => g.map((weight) => tf.variable(tf.clone(weight), false))) : [];
  const gAdam = tf.train.adam(model.gRate, BETA1, BETA2, EPSILON);
  const dAdam = tf.train.adam(model.dRate, BETA1, BETA2, EPSILON);

  /** @param {Tensor} images @param {Tensor} pick @returns {Tensor} `[rows, 1]` */
  const logits = (images, pick) => tf.sum(tf.mul(discriminate(images), pick), 1, true);

  /** @param {Tensor} fakes */
  const trainD = (fakes) => {
    const rows = tf.concat([kept.images, /** @type {Tensor2D} */ (fakes)], 0);
    const loss = () => tf.mul(tf.mean(tf.softplus(tf.mul(logits(rows, kept.both), kept.signs))), 2);
    const { value, grads } = tf.variableGrads(/** @type {any} */ (loss), d);
    dAdam.applyGradients(/** @type {any} */ (grads));
    return value;
  };

  const step = () => {
    const noise = tf.randomNormal([batch, model.noise]);
    const input = model.channels ? tf.concat([noise, kept.label], 1) : noise;
    /** @type {Tensor | undefined} */
    let dLoss;
    // D is updated in the midst of G's tape, so that G goes forward once.
    const gLoss = () => {
      const fakes = generate(input);
      dLoss = tf.keep(trainD(fakes));
      return tf.mean(tf.softplus(tf.neg(logits(fakes, kept.half))));
    };
    const { value, grads } = tf.variableGrads(/** @type {any} */ (gLoss), g);
    gAdam.applyGradients(/** @type {any} */ (grads));
    average.forEach((mean, i) => mean.assign(tf.add(mean, tf.mul(tf.sub(g[i], mean), 1 - model.average))));
    return [/** @type {Tensor} */ (dLoss), value];
  };

  /** @type {number[]} */
  let losses = [];
  return {
    async run(times) {
      for (let i = 1; i < times; i++) tf.dispose(tf.tidy(step));
      const last = tf.tidy(step);
      losses = (await Promise.all(last.map((loss) => loss.data()))).map(([loss]) => loss);
      tf.dispose(last);
    },
    losses: async () => losses,
    free() {
      tf.dispose([kept, g, d, average]);
      gAdam.dispose();
      dAdam.dispose();
    },
  };
}

/** @param {import('./models.js').Start[]} starts */
const variables = (starts) => tf.tidy(() => starts.map(({ shape, values }) => tf.variable(tf.tensor(values, shape))));

/** @param {Tensor} x @param {Variable} w @param {Variable} b @returns {Tensor} */
const linear = (x, w, b) => tf.add(tf.matMul(x, w), b);

/** @param {Model} model */
function mlp(model) {
  const [g, d] = [variables(dense(model.g)), variables(dense(model.d))];
  /** @param {Variable[]} p @param {Tensor} x */
  const network = (p, x) => {
    for (let i = 0; i < p.length; i += 2) {
      x = linear(x, p[i], p[i + 1]);
      if (i + 2 < p.length) x = tf.leakyRelu(x, SLOPE);
    }
    return x;
  };
  return {
    g,
    d,
    generate: (/** @type {Tensor} */ z) => tf.tanh(network(g, z)),
    discriminate: (/** @type {Tensor} */ x) => network(d, x),
  };
}

/** @param {Model} model */
function convolutional({ noise, channels }) {
  const inner = INNER * INNER * 2 * channels;
  const g = variables([
    weight([noise + DIGITS, inner], noise + DIGITS), zeros([inner]),
    weight([4, 4, channels, 2 * channels], 8 * channels), zeros([channels]),
    weight([4, 4, 1, channels], 4 * channels, 1), zeros([1]),
  ]);
  const d = variables([
    weight([4, 4, 1, channels], 16), zeros([channels]),
    weight([4, 4, channels, 2 * channels], 16 * channels), zeros([2 * channels]),
    weight([inner, DIGITS + 1], inner, 1), zeros([DIGITS + 1]),
  ]);
  return {
    g,
    d,
    generate(/** @type {Tensor} */ z) {
      const x = tf.relu(tf.reshape(linear(z, g[0], g[1]), [-1, INNER, INNER, 2 * channels]));
      const y = tf.relu(tf.add(convTranspose(x, g[2]), g[3]));
      return tf.reshape(tf.tanh(tf.add(convTranspose(y, g[4]), g[5])), [-1, 784]);
    },
    discriminate(/** @type {Tensor} */ images) {
      const x = tf.leakyRelu(tf.add(conv(tf.reshape(images, [-1, 28, 28, 1]), d[0]), d[1]), SLOPE);
      const y = tf.leakyRelu(tf.add(conv(x, d[2]), d[3]), SLOPE);
      return linear(tf.reshape(y, [-1, inner]), d[4], d[5]);
    },
  };
}

/** @param {Tensor} x @param {Tensor} w @returns {Tensor} */
const halve = (x, w) => tf.conv2d(/** @type {Tensor4D} */ (x), /** @type {Tensor4D} */ (w), 2, 'same');

/** @param {Tensor} y @param {Tensor} w @returns {Tensor} */
const double = (y, w) => {
  const [rows, height, width] = y.shape;
  const shape = /** @type {[number, number, number, number]} */ ([rows, 2 * height, 2 * width, w.shape[2]]);
  return tf.conv2dTranspose(/** @type {Tensor4D} */ (y), /** @type {Tensor4D} */ (w), shape, 2, 'same');
};

/**
 * The weights' gradient of `halve`, given its large side and what its small side gets. The wasm backend has no kernel for
 * it (Conv2DBackpropFilter); but it is a convolution too, of the large side with the small one, whose points lie two apart.
 * @param {Tensor} large @param {Tensor} small
 */
const weightGradient = (large, small) => {
  const x = /** @type {Tensor4D} */ (tf.transpose(large, [3, 1, 2, 0]));
  const w = /** @type {Tensor4D} */ (tf.transpose(small, [1, 2, 0, 3]));
  return tf.transpose(tf.conv2d(x, w, 1, 1, 'NHWC', 2), [1, 2, 0, 3]);
};

/** @type {(x: Tensor, w: Tensor) => Tensor} */
const wasmConv = tf.customGrad(/** @type {any} */ ((/** @type {any} */ x, /** @type {any} */ w, /** @type {any} */ save) => {
  save([x, w]);
  const gradFunc = (/** @type {Tensor} */ dy, /** @type {Tensor[]} */ [x, w]) => [double(dy, w), weightGradient(x, dy)];
  return { value: halve(x, w), gradFunc };
}));

/** @type {(y: Tensor, w: Tensor) => Tensor} */
const wasmConvTranspose = tf.customGrad(/** @type {any} */ ((/** @type {any} */ y, /** @type {any} */ w, /** @type {any} */ save) => {
  save([y, w]);
  const gradFunc = (/** @type {Tensor} */ dx, /** @type {Tensor[]} */ [y, w]) => [halve(dx, w), weightGradient(dx, y)];
  return { value: double(y, w), gradFunc };
}));

/** 4×4, stride 2, padding 1. @param {Tensor} x @param {Tensor} w @returns {Tensor} */
const conv = (x, w) => (tf.getBackend() === 'wasm' ? wasmConv(x, w) : halve(x, w));

/** Its adjoint. @param {Tensor} y @param {Tensor} w @returns {Tensor} */
const convTranspose = (y, w) => (tf.getBackend() === 'wasm' ? wasmConvTranspose(y, w) : double(y, w));
