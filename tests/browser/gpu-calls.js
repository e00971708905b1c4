// Counts what the worker asks of WebGPU: every method's calls, and what each submit holds. `countGpuCalls` is put before
// the worker's own script (site.js, beforeWorker) as text, so it refers to nothing outside itself.

/**
 * @typedef {object} Submit
 * @property {number} computePasses
 * @property {number} renderPasses
 * @property {number} dispatches
 * @property {number} copies
 */

/**
 * @typedef {object} GpuCalls
 * @property {Record<string, number>} methods   like GPUDevice.createBuffer
 * @property {Submit[]} submits
 * @property {Record<string, number>} posted    the worker's messages, by their type
 */

function countGpuCalls() {
  const none = () => ({ computePasses: 0, renderPasses: 0, dispatches: 0, copies: 0 });
  let open = none();
  /** @type {GpuCalls} */
  const calls = { methods: {}, submits: [], posted: {} };
  Object.assign(self, {
    takeGpuCalls() {
      const taken = { ...calls };
      Object.assign(calls, { methods: {}, submits: [], posted: {} });
      return taken;
    },
  });
  /** @type {Record<string, (submit: Submit) => void>} */
  const kinds = {
    beginComputePass: (submit) => submit.computePasses++,
    beginRenderPass: (submit) => submit.renderPasses++,
    dispatchWorkgroups: (submit) => submit.dispatches++,
    copyBufferToBuffer: (submit) => submit.copies++,
  };
  /** @type {Record<string, any>} */
  const interfaces = {
    GPUAdapter, GPUDevice, GPUQueue, GPUBuffer, GPUTexture, GPUCommandEncoder, GPUComputePassEncoder, GPURenderPassEncoder, GPUCanvasContext,
  };
  for (const [name, { prototype }] of Object.entries(interfaces)) {
    for (const method of Object.keys(prototype)) {
      const { value: original } = Object.getOwnPropertyDescriptor(prototype, method) ?? {};
      if (typeof original !== 'function') continue;
      /** @this {unknown} @param {unknown[]} args */
      prototype[method] = function (...args) {
        const key = `${name}.${method}`;
        calls.methods[key] = (calls.methods[key] ?? 0) + 1;
        kinds[method]?.(open);
        if (method === 'submit') {
          calls.submits.push(open);
          open = none();
        }
        return original.apply(this, args);
      };
    }
  }
  const post = self.postMessage;
  /** @type {any} */ (self).postMessage = (/** @type {any} */ message, /** @type {any} */ options) => {
    calls.posted[message.type] = (calls.posted[message.type] ?? 0) + 1;
    post(message, options);
  };
}

export const countingScript = `(${countGpuCalls})()`;

/** The calls since the last time. @param {import('playwright-core').Page} page @returns {Promise<GpuCalls>} */
export async function takeGpuCalls(page) {
  const [worker] = page.workers();
  if (!worker) throw new Error('the page has no worker');
  return worker.evaluate(() => /** @type {any} */ (self).takeGpuCalls());
}
