// A run on the CPU engine by several workers: the engine's own, which leads and alone keeps the run, and hands, which compute
// shards of each batch. Messages are buffers that go to and fro between a worker and its own workers: so no host needs to send
// the headers that shared memory asks for.

/** @typedef {import('../pkg/digit_forge_wasm.js').Forge} Forge */

/**
 * `order` asks for a lesson, and `answer` is what came of it, in the same buffer.
 * @typedef {{type: 'open', text: string, images: number | undefined, rank: number, count: number}
 *   | {type: 'data', images: Uint8Array, labels: Uint8Array}
 *   | {type: 'order', words: Float32Array<ArrayBuffer>}} ToHand
 * @typedef {{type: 'ready'} | {type: 'answer', words: Float32Array<ArrayBuffer>} | {type: 'failed', message: string}} FromHand
 */

const MOST = 4;

/**
 * How many workers a run should have that nobody has said. Half the processors, as two of them are often one core, and the page and its
 * meters need some; and one for every two GiB, since each has the data set.
 * @param {{hardwareConcurrency?: number, deviceMemory?: number}} machine   as the navigator tells it; memory only in some browsers
 */
export const usualCount = ({ hardwareConcurrency = 1, deviceMemory = 2 * MOST }) =>
  Math.max(1, Math.min(MOST, hardwareConcurrency >> 1, Math.floor(deviceMemory / 2)));

/** One of the workers that compute for the leader's. */
class Hand {
  /** @type {{resolve: () => void, reject: (error: Error) => void} | null} */
  #asker = null;
  /** @type {Error | null} */
  #failure = null;
  /** When what was asked for last is there. @type {Promise<void>} */
  done = Promise.resolve();

  /** @param {Worker} worker @param {number} length   words of the longest message */
  constructor(worker, length) {
    this.worker = worker;
    /** The buffer, while it is here. */
    this.words = new Float32Array(length);
    worker.onmessage = (event) => this.#hear(event.data);
    worker.onerror = (event) => this.#fail(event.message || 'a worker could not start');
  }

  /** @param {ToHand} message @param {Transferable[]} [transfer] */
  post(message, transfer = []) {
    this.worker.postMessage(message, { transfer });
  }

  /** @param {ToHand} message @param {Transferable[]} [transfer] */
  ask(message, transfer) {
    this.done = new Promise((resolve, reject) => {
      this.#asker = { resolve, reject };
      if (this.#failure) reject(this.#failure);
    });
    // A rejection is met where it is waited for.
    this.done.catch(() => {});
    this.post(message, transfer);
  }

  /** Asks for a lesson. @param {Forge} leader */
  order(leader) {
    leader.order(this.words);
    this.ask({ type: 'order', words: this.words }, [this.words.buffer]);
  }

  /** @param {FromHand} message */
  #hear(message) {
    if (message.type === 'failed') return this.#fail(message.message);
    if (message.type === 'answer') this.words = message.words;
    this.#asker?.resolve();
  }

  /** @param {string} message */
  #fail(message) {
    this.#failure ??= new Error(message);
    this.#asker?.reject(this.#failure);
  }
}

export class Crew {
  /** @param {Forge} leader @param {Hand[]} hands */
  constructor(leader, hands) {
    this.leader = leader;
    this.hands = hands;
  }

  /** Workers, the leader's among them. */
  get count() {
    return this.hands.length + 1;
  }

  /**
   * Hands for a leader of rank 0.
   * @param {Forge} leader
   * @param {object} run
   * @param {string} run.text
   * @param {number | undefined} run.images   in the data set, if it isn't MNIST
   * @param {number} run.count   workers, the leader's among them
   */
  static async open(leader, { text, images, count }) {
    const hands = Array.from({ length: count - 1 }, () => {
      const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
      return new Hand(worker, leader.message());
    });
    const crew = new Crew(leader, hands);
    try {
      await Promise.all(hands.map((hand, k) => {
        hand.ask({ type: 'open', text, images, rank: k + 1, count });
        return hand.done;
      }));
      return crew;
    } catch (error) {
      crew.end();
      throw error;
    }
  }

  /** Appends images and labels everywhere. @param {Uint8Array} images @param {Uint8Array} labels */
  add_data(images, labels) {
    this.leader.add_data(images, labels);
    for (const hand of this.hands) hand.post({ type: 'data', images, labels });
  }

  /** Trains for some steps; nobody may use the leader meanwhile. @param {number} steps */
  async run(steps) {
    const { leader, hands } = this;
    for (let k = 0; k < steps; k++) {
      do {
        for (const hand of hands) hand.order(leader);
        leader.work();
        // One after the other, so that sums are the same bits whoever is first.
        for (const hand of hands) {
          await hand.done;
          leader.add(hand.words);
        }
      } while (!leader.conclude());
    }
  }

  end() {
    for (const { worker } of this.hands) worker.terminate();
  }
}
