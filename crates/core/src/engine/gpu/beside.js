// Compute pipelines made beside one another. wgpu asks for one after the other and doesn't know createComputePipelineAsync, so it asks
// for each twice: after `divert` a request only begins the work, and gets nothing that is of use; after `give` the same request gets what
// has become of it. Both hold until `stop`.

/** @type {GPUDevice['createComputePipeline'] | null} */
let plain = null;
/** @type {Promise<GPUComputePipeline> | null} */
let newest = null;

/** @param {(this: GPUDevice, descriptor: GPUComputePipelineDescriptor) => any} answer */
function replace(answer) {
  plain = GPUDevice.prototype.createComputePipeline;
  GPUDevice.prototype.createComputePipeline = answer;
}

export function divert() {
  newest = null;
  replace(function (descriptor) {
    newest = this.createComputePipelineAsync(descriptor);
    // Whoever waits for it is told.
    newest.catch(() => {});
    return {};
  });
}

/** What the request since `divert` has begun, if there was one. */
export const begun = () => newest ?? undefined;

/** @param {GPUComputePipeline} pipeline */
export function give(pipeline) {
  replace(() => pipeline);
}

export function stop() {
  if (plain) GPUDevice.prototype.createComputePipeline = plain;
  plain = null;
}
