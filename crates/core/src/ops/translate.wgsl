// Comes after epilogue.wgsl and random.wgsl.
//
// y[b, r, c, :] = x[b, r + sign * dy, c + sign * dx, :], or `fill` outside; dy and dx from -most to most at random for each
// image; and `finish` of it is written
//
// The counter of the random numbers is (image, clock lane, 0, 0) and the key (seed, stream). A workgroup has one image.

struct Params {
    height: u32,
    width: u32,
    channels: u32,
    lane: u32, // of the clock, for the counter,
    ahead: u32, // and how many ticks it is behind
    seed: u32, // the lane of the clock that holds the seed
    stream: u32,
    most: u32,
    backwards: u32, // 1: sign is -1
    fill: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> clock: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn translate(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let words = philox(vec4u(group.x, clock[params.lane] + params.ahead, 0u, 0u), vec2u(clock[params.seed], params.stream));
    var shift = vec2i(words.xy % (2u * params.most + 1u)) - i32(params.most);
    shift = select(shift, -shift, params.backwards == 1u);
    let line = params.width * params.channels;
    let start = group.x * params.height * line;
    for (var i = local.x; i < params.height * line; i += 64u) {
        let row = i32(i / line) + shift.x;
        let column = i32(i % line / params.channels) + shift.y;
        let inside = row >= 0 && row < i32(params.height) && column >= 0 && column < i32(params.width);
        let at = u32(row) * line + u32(column) * params.channels + i % params.channels;
        y[start + i] = finish(select(params.fill, x[start + select(0u, at, inside)], inside), 0u, start + i);
    }
}
