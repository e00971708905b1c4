// Comes after epilogue.wgsl and total.wgsl.
//
// x is [groups, rows, columns]; each column of each group has a mean and a deviation s = sqrt(variance + epsilon).
//
// normalize:  y = finish((x - mean) / s)
// backward:   y = (dy - mean(dy) - u * mean(dy * u)) / s, with u = (x - mean) / s
// deviation:  y = s, [groups, columns]
// both:       y as `normalize` has it, and s
//
// Means are over the first `seen` rows. A workgroup has one column of one group.

struct Params {
    rows: u32,
    columns: u32,
    seen: u32,
    channels: u32, // of the bias
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>; // of `backward`
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> s: array<f32>; // of `both`

struct Moments {
    mean: vec2f, // of x, and of dy
    variance: f32,
    along: f32, // the mean of dy * (x - mean)
}

fn moments(start: u32, thread: u32, both: bool) -> Moments {
    var part = vec2f();
    for (var row = thread; row < params.seen; row += THREADS) {
        let at = start + row * params.columns;
        part.x += x[at];
        if (both) {
            part.y += dy[at];
        }
    }
    let mean = total(part, thread) / f32(params.seen);
    part = vec2f();
    for (var row = thread; row < params.seen; row += THREADS) {
        let at = start + row * params.columns;
        let centred = x[at] - mean.x;
        part.x += centred * centred;
        if (both) {
            part.y += centred * dy[at];
        }
    }
    let second = total(part, thread) / f32(params.seen);
    return Moments(mean, second.x, second.y);
}

fn first_of(group: vec3u) -> u32 {
    return group.y * params.rows * params.columns + group.x;
}

fn even_out(start: u32, thread: u32) -> Moments {
    let m = moments(start, thread, false);
    let inverse = inverseSqrt(m.variance + params.epsilon);
    for (var row = thread; row < params.rows; row += THREADS) {
        let at = start + row * params.columns;
        y[at] = finish((x[at] - m.mean.x) * inverse, at % params.channels, at);
    }
    return m;
}

@compute @workgroup_size(THREADS)
fn normalize(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    _ = even_out(first_of(group), thread);
}

@compute @workgroup_size(THREADS)
fn both(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let m = even_out(first_of(group), thread);
    if (thread == 0u) {
        s[group.y * params.columns + group.x] = sqrt(m.variance + params.epsilon);
    }
}

@compute @workgroup_size(THREADS)
fn backward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let start = first_of(group);
    let m = moments(start, thread, true);
    let inverse = inverseSqrt(m.variance + params.epsilon);
    let along = m.along * inverse * inverse;
    for (var row = thread; row < params.rows; row += THREADS) {
        let at = start + row * params.columns;
        y[at] = (dy[at] - m.mean.y - (x[at] - m.mean.x) * along) * inverse;
    }
}

@compute @workgroup_size(THREADS)
fn deviation(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let m = moments(first_of(group), thread, false);
    if (thread == 0u) {
        y[group.y * params.columns + group.x] = sqrt(m.variance + params.epsilon);
    }
}
