// A worker that computes a shard of each batch for the engine's worker. The run isn't here: a message brings the weights that have
// changed, and goes back with what they lead to.

import { Forge, openEngine } from '../engine.js';

/** @typedef {import('./crew.js').ToHand} ToHand */
/** @typedef {import('./crew.js').FromHand} FromHand */

/** @type {Forge | null} */
let forge = null;

/** @param {FromHand} message @param {Transferable[]} [transfer] */
const post = (message, transfer = []) => self.postMessage(message, { transfer });

self.addEventListener('message', async (event) => {
  /** @type {ToHand} */
  const message = event.data;
  switch (message.type) {
    case 'open': {
      const { text, images, rank, count } = message;
      await openEngine();
      forge = Forge.shard(text, images, rank, count);
      return post({ type: 'ready' });
    }
    case 'data':
      return forge?.add_data(message.images, message.labels);
    case 'order':
      forge?.obey(message.words);
      return post({ type: 'answer', words: message.words }, [message.words.buffer]);
  }
});

// Else nobody would hear of it: an asynchronous listener's errors are no errors of the worker.
self.addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  post({ type: 'failed', message: event.reason instanceof Error ? event.reason.message : String(event.reason) });
});
