// Comes after shuffle.wgsl.
//
// pixels[i, :] = byte / 127.5 + paper and labels[i], of the image that is next in a shuffled order
//
// images: one byte a pixel, four to a word, the first in its lowest bits; labels: one byte an image, packed likewise.
// The batch's image i has position draws * size + i in the run. A workgroup copies one image.

struct Params {
    size: u32,
    words: u32, // of an image
    first: u32, // images that the opening pass uses
    total: u32,
    opening: u32, // positions of the opening pass
    draws: u32, // the lane of the clock that counts batches
    seed: u32, // the lane of the clock that holds the seed
    paper: f32, // the pixel of a byte of 0
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> images: array<u32>;
@group(0) @binding(2) var<storage, read> packed_labels: array<u32>;
@group(0) @binding(3) var<storage, read> available: array<u32>; // [1]: images that have arrived
@group(0) @binding(4) var<storage, read> clock: array<u32>;
@group(0) @binding(5) var<storage, read_write> pixels: array<f32>;
@group(0) @binding(6) var<storage, read_write> labels: array<u32>;

@compute @workgroup_size(64)
fn gather(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let position = clock[params.draws] * params.size + group.x;
    let image = image_at(position, clock[params.seed], params.first, params.total, params.opening, available[0]);
    for (var j = local.x; j < params.words; j += 64u) {
        let bytes = (vec4u(images[image * params.words + j]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu);
        let values = vec4f(bytes) / 127.5 + params.paper;
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
