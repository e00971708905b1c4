// The section "Fooling the judge" as the page opens it, loaded when somebody first does.

import { FoolingView } from '../views/fooling.js';
import { FoolingLab } from './lab.js';

/**
 * @param {string} data   address of the folder of MNIST
 * @param {() => void} close
 */
export function fooling(data, close) {
  const lab = new FoolingLab(() => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }), data);
  const view = new FoolingView(lab, close);
  lab.open();
  return { lab, view };
}
