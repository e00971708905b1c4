// Comes after random.wgsl and shuffle.wgsl.
//
// All that a step draws: input[i] = noise, then the label's place in a row of zeros, or its row of a table; pixels[i] and
// labels[i] of the image that is next. The parts are those of noise.wgsl, gather.wgsl, pick.wgsl and lookup.wgsl. A
// workgroup copies one image, and all of them share the noise.

struct Params {
    size: u32,
    words: u32, // of an image
    first: u32, // images that the opening pass uses
    total: u32,
    opening: u32, // positions of the opening pass
    draws: u32, // the lane of the clock that counts batches
    seed: u32, // the lane of the clock that holds the seed
    paper: f32, // the pixel of a byte of 0
    noise: u32, // columns of noise in a row of the input,
    labels: u32, // and of the label after them
    lane: u32, // of the clock, for the noise
    stream: u32,
    label: f32, // what stands at the label's place,
    classes: u32, // or the rows of the table
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> images: array<u32>;
@group(0) @binding(2) var<storage, read> packed_labels: array<u32>;
@group(0) @binding(3) var<storage, read> available: array<u32>; // [1]: images that have arrived
@group(0) @binding(4) var<storage, read> clock: array<u32>;
@group(0) @binding(5) var<storage, read> table: array<f32>; // a row of `labels` columns for each digit, or unread
@group(0) @binding(6) var<storage, read_write> input: array<f32>;
@group(0) @binding(7) var<storage, read_write> pixels: array<f32>;
@group(0) @binding(8) var<storage, read_write> labels: array<u32>;

@compute @workgroup_size(64)
fn draw(
    @builtin(workgroup_id) group: vec3u,
    @builtin(global_invocation_id) id: vec3u,
    @builtin(local_invocation_id) local: vec3u,
) {
    let seed = clock[params.seed];
    let position = clock[params.draws] * params.size + group.x;
    let image = image_at(position, seed, params.first, params.total, params.opening, available[0]);
    for (var j = local.x; j < params.words; j += 64u) {
        let bytes = (vec4u(images[image * params.words + j]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu);
        let values = vec4f(bytes) / 127.5 + params.paper;
        let at = (group.x * params.words + j) * 4u;
        pixels[at] = values.x;
        pixels[at + 1u] = values.y;
        pixels[at + 2u] = values.z;
        pixels[at + 3u] = values.w;
    }
    let digit = (packed_labels[image / 4u] >> (8u * (image % 4u))) & 0xffu;
    if (local.x == 0u) {
        labels[group.x] = digit;
    }

    let columns = params.noise + params.labels;
    for (var j = local.x; j < params.labels; j += 64u) {
        var heard = select(0.0, params.label, j == digit);
        if (params.classes > 0u) {
            heard = select(0.0, table[min(digit, params.classes - 1u) * params.labels + j], digit < params.classes);
        }
        input[group.x * columns + params.noise + j] = heard;
    }
    let n = params.size * params.noise;
    for (var block = id.x; 4u * block < n; block += params.size * 64u) {
        let words = philox(vec4u(block, clock[params.lane], 0u, 0u), vec2u(seed, params.stream));
        let values = vec4f(normal_pair(words.x, words.y), normal_pair(words.z, words.w));
        for (var j = 0u; j < 4u && 4u * block + j < n; j++) {
            let i = 4u * block + j;
            input[i / params.noise * columns + i % params.noise] = values[j];
        }
    }
}
