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

/** Workers of a run at most. */
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
    worker.onmessageerror = () => this.fail('a message between workers could not be read');
    worker.onerror = (event) => {
      // It is heard of where the answer is waited for.
      event.preventDefault();
      this.fail(event.message || 'a worker could not start');
    };
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
    if (this.#failure) throw this.#failure;
    leader.order(this.words);
    this.ask({ type: 'order', words: this.words }, [this.words.buffer]);
  }

  /** @param {FromHand} message */
  #hear(message) {
    if (message.type === 'failed') return this.fail(message.message);
    if (message.type === 'answer') this.words = message.words;
    this.#asker?.resolve();
  }

  /** Nothing more is to be had of it. @param {string} message */
  fail(message) {
    this.#failure ??= new Error(message);
    this.#asker?.reject(this.#failure);
  }
}

export class Crew {
  /** @type {{error: unknown} | null} */
  #broken = null;

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
   * A crew whose workers are yet to be ready, for a leader of rank 0.
   * @param {Forge} leader
   * @param {number} count   workers, the leader's among them
   */
  static of(leader, count) {
    const crew = new Crew(leader, []);
    try {
      while (crew.count < count) crew.hands.push(new Hand(new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }), leader.message()));
    } catch (error) {
      crew.end();
      throw error;
    }
    return crew;
  }

  /**
   * Resolves when all workers can start; ends them if one can't.
   * @param {string} text
   * @param {number | undefined} images   in the data set, if it isn't MNIST
   */
  async ready(text, images) {
    const { hands, count } = this;
    hands.forEach((hand, k) => hand.ask({ type: 'open', text, images, rank: k + 1, count }));
    try {
      await Promise.all(hands.map(({ done }) => done));
    } catch (error) {
      this.end();
      throw error;
    }
  }

  /** Appends images and labels everywhere. @param {Uint8Array} images @param {Uint8Array} labels */
  add_data(images, labels) {
    this.leader.add_data(images, labels);
    for (const hand of this.hands) hand.post({ type: 'data', images, labels });
  }

  /** Trains for some steps; nobody may use the leader meanwhile. Once that has failed it is in the middle of one. @param {number} steps */
  async run(steps) {
    if (this.#broken) throw this.#broken.error;
    try {
      for (let k = 0; k < steps; k++) await this.#step();
    } catch (error) {
      this.#broken = { error };
      throw error;
    }
  }

  async #step() {
    const { leader, hands } = this;
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

  /** Also in the middle of a step, which fails then. */
  end() {
    for (const hand of this.hands) {
      hand.worker.terminate();
      hand.fail('the workers have been ended');
    }
  }
}
