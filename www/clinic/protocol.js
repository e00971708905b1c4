// The vocabulary between the page and a clinic's worker: types only.
//
//   page → clinic   open · read · gather · report · neighbours
//   clinic → page   answer
//
// Every question carries a number, and so does its answer.

/**
 * What the judge sees in some images: the digit read in each, each digit's share and own agreement, the share that is read as
 * asked for, how sure it is, and how much they differ, in all and within a digit, beside real ones. What wasn't asked for, or can't be
 * told, is null.
 * @typedef {{digits: number[], shares: number[], entropy: number, agreement: number | null, agreements: number[] | null,
 *   certainty: number, diversity: number | null, within: number | null}} Reading
 */

/** The Fréchet distance from test images, and that of training images. @typedef {{fd: number, floor: number, images: number, floorImages: number}} Distance */

/** @typedef {{precision: number, recall: number, f1: number, support: number}} Scores */
/** `confusion[asked for][read]` @typedef {{confusion: number[][], digits: Scores[], accuracy: number, macro: Scores, weighted: Scores}} Table */
/** Of generated and of real images. @typedef {{images: Table, real: Table}} Report */
/** @typedef {{kid: number, kidDeviation: number, precision: number, recall: number, density: number, coverage: number}} Neighbours */

/**
 * `open`: where MNIST's manifest is, and with how many real images to compare, as many training images as test images. `read` forgets
 * the images before and answers with a reading, a distance and, where a run trains on the first `few` images alone, the share of copies;
 * `gather` adds images to those that `report` and `neighbours` tell of. Labels are null where nothing was asked for.
 * @typedef {{type: 'open', data: string, real: number}
 *   | {type: 'read', images: Uint8Array, labels: Uint8Array | null, side: number, few: number}
 *   | {type: 'gather', images: Uint8Array, labels: Uint8Array | null, side: number}
 *   | {type: 'report'|'neighbours'}} Question
 */

/** @typedef {Question & {id: number}} ToClinic */
/** @typedef {{id: number, value: any, error: string}} FromClinic */

export {};
