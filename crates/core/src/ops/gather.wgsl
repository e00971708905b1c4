// pixels[i, :] = byte / 127.5 - 1 and labels[i], of the image that is next in a shuffled order
//
// images: one byte a pixel, four to a word, the first in its lowest bits; labels: one byte an image, packed likewise.
// The batch's image i has position (draws - 1) * size + i in the run, and `image_at` turns a position into an image
// without any table: see gather.rs for the schedule. A workgroup copies one image.

struct Params {
    size: u32,
    words: u32, // of an image
    first: u32, // images that the opening pass uses
    total: u32,
    opening: u32, // positions of the opening pass
    draws: u32, // the lane of the clock that counts batches
    seed: u32, // the lane of the clock that holds the seed
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> images: array<u32>;
@group(0) @binding(2) var<storage, read> packed_labels: array<u32>;
@group(0) @binding(3) var<storage, read> available: array<u32>; // [1]: images that have arrived
@group(0) @binding(4) var<storage, read> clock: array<u32>;
@group(0) @binding(5) var<storage, read_write> pixels: array<f32>;
@group(0) @binding(6) var<storage, read_write> labels: array<u32>;

const ROUNDS = 6u;

// A hash of one word onto another (Wellons' lowbias32).
fn scramble(word: u32) -> u32 {
    var x = word;
    x = (x ^ (x >> 16u)) * 0x7feb352du;
    x = (x ^ (x >> 15u)) * 0x846ca68bu;
    return x ^ (x >> 16u);
}

// Where a shuffle of n things puts `position`: a Feistel network over the smallest domain of an even number of bits
// (8 or more) that holds n, walked on until it comes back below n.
fn shuffled(position: u32, n: u32, seed: u32, epoch: u32) -> u32 {
    let key = scramble(seed ^ scramble(epoch + 0x9e3779b9u));
    let half_bits = max((33u - countLeadingZeros(n - 1u)) / 2u, 4u);
    let mask = (1u << half_bits) - 1u;
    var x = position;
    loop {
        var left = x >> half_bits;
        var right = x & mask;
        for (var round = 0u; round < ROUNDS; round++) {
            let swapped = left ^ (scramble(right ^ scramble(key + round)) & mask);
            left = right;
            right = swapped;
        }
        x = (left << half_bits) | right;
        continuing {
            break if x < n;
        }
    }
    return x;
}

// The image at a position of the run.
fn image_at(position: u32) -> u32 {
    let seed = clock[params.seed];
    if (position < params.opening) {
        return shuffled(position, params.first, seed, 0u);
    }
    let n = select(params.total, params.first, available[0] < params.total && params.first < params.total);
    let since = position - params.opening;
    return shuffled(since % n, n, seed, since / n + 1u);
}

@compute @workgroup_size(64)
fn gather(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let image = image_at((clock[params.draws] - 1u) * params.size + group.x);
    for (var j = local.x; j < params.words; j += 64u) {
        let bytes = (vec4u(images[image * params.words + j]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu);
        let values = vec4f(bytes) / 127.5 - 1.0;
        let at = (group.x * params.words + j) * 4u;
        pixels[at] = values.x;
        pixels[at + 1u] = values.y;
        pixels[at + 2u] = values.z;
        pixels[at + 3u] = values.w;
    }
    if (local.x == 0u) {
        labels[group.x] = (packed_labels[image / 4u] >> (8u * (image % 4u))) & 0xffu;
    }
}
