// Compute pipelines made beside one another. wgpu asks for one after the other and doesn't know createComputePipelineAsync, so each is
// asked for twice: between `gather` and `stop` a request only begins its work, and gets nothing that is of use; between `hand` and `stop`
// the same requests in the same order get what has become of it.

/** @type {GPUDevice['createComputePipeline'] | null} */
let plain = null;

/** @param {(this: GPUDevice, descriptor: GPUComputePipelineDescriptor) => any} answer */
function replace(answer) {
  plain = GPUDevice.prototype.createComputePipeline;
  GPUDevice.prototype.createComputePipeline = answer;
}

/** @returns {Promise<GPUComputePipeline>[]} which grows with each request */
export function gather() {
  /** @type {Promise<GPUComputePipeline>[]} */
  const begun = [];
  replace(function (descriptor) {
    const made = this.createComputePipelineAsync(descriptor);
    // Whoever waits for it is told.
    made.catch(() => {});
    begun.push(made);
    return {};
  });
  return begun;
}

/** @param {GPUComputePipeline[]} pipelines */
export function hand(pipelines) {
  let next = 0;
  replace(() => pipelines[next++]);
}

export function stop() {
  if (plain) GPUDevice.prototype.createComputePipeline = plain;
  plain = null;
}
