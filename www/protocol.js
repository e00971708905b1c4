// The vocabulary between the page and its worker: types only, one per message.
//
//   page → worker   open · resolve · networks · start · tune · play · pause · step · look · view · wishes
//                   · images · save · check · retry · data · prepare · sample · gather · cancel · reading · undo
//   worker → page   described · resolved · networks · loading · dataFailed · started · playing
//                   · paused · progress · wants · images · saved · kept · checked · prepared · samples · gathered
//                   · diagnosis · failed
//
// A question (resolve, networks, images, save, check, prepare, sample, gather) carries a number, and so does its answer.
// Every message about a run carries its number, so that a late answer from an
// earlier run can be told apart and dropped.

/** @typedef {'auto'|'cpu'|'gpu'} EngineChoice */

/**
 * Why this engine: a word that each language spells out.
 * @typedef {'gpu'|'forced-gpu'|'forced-software'|'forced-cpu'|'insecure'|'no-api'|'no-adapter'|'software'|'gpu-failed'} EngineReason
 */

/** What the page looks like to a canvas, 0xRRGGBB. @typedef {{paper: number, ink: number}} Look */

/** Whose digits are shown: of the generator's moving average, its own, or both. @typedef {'averaged'|'raw'|'both'} View */

/** @typedef {{key: string, label: string}} Group */

/**
 * @typedef {object} Setting
 * @property {string} key
 * @property {string} group
 * @property {string} label
 * @property {string} help
 * @property {'integer'|'number'|'choice'|'flag'|'widths'} kind
 * @property {number} [min]
 * @property {number} [max]
 * @property {number} [most]   of widths: how many
 * @property {boolean} [log]
 * @property {{value: string, label: string}[]} [choices]
 * @property {string} default
 * @property {boolean} restart
 * @property {{key: string, values: string[]}[]} [when]   the cases in which it matters; always without any
 */

/** @typedef {{name: string, label: string, help: string, values: Record<string, string>}} Preset */

/**
 * What the doctor may find: bad above its threshold, or below.
 * @typedef {{id: string, label: string, measure: string, reason: string, threshold: number, above: boolean, cures: {id: string, words: string}[]}} Rule
 */

/** @typedef {{groups: Group[], settings: Setting[], presets: Preset[], grid: {rows: number, columns: number}, scores: string[], formulas: Record<string, string[]>, rules: Rule[]}} Description */
/** @typedef {{key: string, value: string, message: string}} SettingError */

/**
 * Generated images as the judge sees them: each digit's share, the share read as asked for, the mean certainty, and how much
 * they differ, in all and within a digit, beside real ones.
 * @typedef {{shares: ArrayLike<number> & Iterable<number>, agreement: number | null, certainty: number | null, diversity: number, within: number | null}} Samples
 */

/**
 * What somebody read of a run as it was after a step, null where nobody did. `vitals` and `preference` are those of that step's
 * `Sampled`; `copies` is the share of samples that are nearer to a training image than to any of as many others.
 * @typedef {{step: number, vitals: Float32Array | null, samples: Samples | null, preference: number | null, copies: number | null}} Symptoms
 */

/** Settings that a cure changes. Live: in the run as it is; else it needs a new one. @typedef {{cure: string, changes: Record<string, string>, live: boolean}} Offer */

/**
 * What a rule has found: first at step `since`, said at `spoke`. `before`: the step of the checkpoint that the run can go back to;
 * null where none is so old. `value` is null where it is beyond all bounds.
 * @typedef {{rule: string, value: number | null, since: number, spoke: number, before: number | null, offers: Offer[]}} Alarm
 */

/** How the run went back by itself: where it had broken, if it does so again, and what was changed; unchanged it must rest. @typedef {{breakage: {step: number, network: string, layer: string} | null, changed: Offer | null}} Rescue */

/** `told` are alarms that are new, `on` the rules of all that are on, the gravest first. @typedef {{told: Alarm[], on: string[], rescue: Rescue | null}} Diagnosis */

/**
 * @typedef {object} Resolved
 * @property {string} preset
 * @property {Record<string, string>} values
 * @property {Record<string, string>} changed
 * @property {string} text
 * @property {SettingError[]} errors
 */

/**
 * `kind` is a word of the core, like `linear`; `shape` one sample's extents after the layer.
 * @typedef {{name: string, kind: string, detail: string, shape: number[], parameters: number}} Layer
 */

/** @typedef {{network: 'generator'|'discriminator', parameters: number, input: number[], layers: Layer[]}} Network */

/**
 * A data set of somebody's own. `name`: the file of its images, null where they are pictures and drawings. `found`: images in
 * the file, of which `count` are used. `images`: `[count, 28, 28]` bytes, ink = 255; `turned`: rows and columns are to be
 * exchanged. `labels`: a digit for each.
 * @typedef {{name: string | null, found: number, count: number, images: Uint8Array, labels: Uint8Array, turned: boolean}} OwnData
 */

/**
 * `data` is for the runs that start after it, null being MNIST. `prepare` makes an image like MNIST's from
 * grey pixels.
 *
 * `start.raw` is a second canvas, for the raw generator. `start.checkpoint` is a file that `check` found good, with the settings that it
 * answered: the run goes on from there. `start.keep`: the run that ends is wanted, as `kept`. `start.threads`: how many workers may share a
 * step of the CPU engine, null leaving it to the machine. `start.doctor`: whether the run is looked
 * after. `wishes`: whether somebody looks at what the discriminator wants.
 *
 * `sample` asks for images and vitals of a moment, `gather` for many images of one step, which `cancel` gives up on.
 *
 * `reading` is for the doctor. `undo` goes back to before an alarm began, with one of its live cures or none; `text` are the settings then.
 * @typedef {{type: 'open', data: string}
 *   | {type: 'resolve'|'networks', id: number, text: string}
 *   | {type: 'start', run: number, text: string, checkpoint: Uint8Array | null, keep: boolean, engine: EngineChoice, threads: number | null,
 *      canvas: OffscreenCanvas, raw: OffscreenCanvas, scale: number, look: Look, view: View, doctor: boolean, wishes: boolean, play: boolean}
 *   | {type: 'tune', run: number, text: string}
 *   | {type: 'play'|'pause'|'step', run: number}
 *   | {type: 'look', look: Look}
 *   | {type: 'view', view: View}
 *   | {type: 'wishes', on: boolean}
 *   | {type: 'images'|'save', id: number}
 *   | {type: 'sample', id: number, count: number, vitals: boolean}
 *   | {type: 'gather', id: number, count: number}
 *   | {type: 'cancel', id: number}
 *   | {type: 'check', id: number, file: Uint8Array}
 *   | {type: 'data', own: OwnData | null}
 *   | {type: 'prepare', id: number, grey: Uint8Array, width: number, height: number}
 *   | {type: 'reading', run: number, symptoms: Symptoms}
 *   | {type: 'undo', run: number, rule: string, cure: string | null, text: string}
 *   | {type: 'retry'}} ToWorker
 */

/**
 * What a run gives to whoever reads it: `images`, `[count, side, side]` bytes, ink = 255, `labels` a digit for each, in turn. `vitals`, if
 * they were asked for: the lengths of D's and of G's gradient, how far the noise moves images, then D's logits, of as many real
 * images as fakes; `accuracy` the share of pairs in which D gives the real one more; `preference` the share of pairs of a training
 * image and one that the run never sees in which D gives the former more, null where there are none of the latter. `ms` is what all
 * this took of the training's time.
 * @typedef {{run: number, step: number, side: number, images: Uint8Array, labels: Uint8Array, vitals: Float32Array | null, accuracy: number, preference: number | null, ms: number}} Sampled
 */

/** @typedef {'missing'|'network'|'truncated'|'corrupt'|'manifest'} DataFault */

/** The core's words for a file that is no checkpoint. @typedef {'format'|'truncated'|'foreign'|'settings'|'tensors'|'values'} CheckpointFault */

/**
 * `started.threads`: how many workers share the CPU engine's steps.
 *
 * `progress.metrics` holds rows of five: step, D's loss, G's loss, D's mean opinion
 * of real images, and of fakes: the probability that they are real, or with the losses
 * in `description.scores` a score.
 *
 * `gathered` tells how many of the images asked for there are, before their `samples`.
 *
 * `kept` is a checkpoint of the run that a new one has ended.
 *
 * `diagnosis.back` is the step that the run went back to, if it did, and `text` the settings in force.
 *
 * `wants` holds, for the digits in view, how the discriminator's logit follows from each of their pixels: rows × columns ×
 * side × side values, above 0 where it wants more ink. `share`: the part of the time that asking takes, once it is known.
 * @typedef {{type: 'described', description: Description}
 *   | {type: 'resolved', id: number, resolved: Resolved}
 *   | {type: 'networks', id: number, networks: Network[] | null, error: string}
 *   | {type: 'loading', stage: 'engine'|'data'|'start'|'more', loaded: number, total: number}
 *   | {type: 'dataFailed', file: string, fault: DataFault, detail: string}
 *   | {type: 'started', run: number, engine: 'cpu'|'gpu', adapter: string, threads: number, reason: EngineReason,
 *      rows: number, columns: number}
 *   | {type: 'playing'|'paused', run: number}
 *   | {type: 'progress', run: number, step: number, images: number, rate: number,
 *      elapsed: number, metrics: Float32Array}
 *   | {type: 'wants', run: number, side: number, averaged: Float32Array | null, raw: Float32Array | null,
 *      share: number | null, error: string}
 *   | {type: 'images', id: number, images: Uint8Array | null, error: string}
 *   | {type: 'samples', id: number, sampled: Sampled | null, error: string}
 *   | {type: 'gathered', id: number, done: number}
 *   | {type: 'saved', id: number, step: number, file: Uint8Array | null, error: string}
 *   | {type: 'kept', step: number, file: Uint8Array}
 *   | {type: 'checked', id: number, resolved: Resolved | null, fault: CheckpointFault | null, error: string}
 *   | {type: 'diagnosis', run: number, told: Alarm[], on: string[], rescue: Rescue | null, back: number | null, text: string}
 *   | {type: 'prepared', id: number, image: Uint8Array | null, error: string}
 *   | {type: 'failed', run: number, fault: 'load'|'settings'|'gpu'|'crash', message: string}} FromWorker
 */

export {};
