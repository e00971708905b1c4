// rates = dials * min(1, t / warmup) * shape(min(1, t / steps))
//
// A learning-rate schedule; t is a lane of the clock. See schedule.rs.

struct Params {
    n: u32,
    lane: u32, // of the clock
    fall: u32, // 0 constant, 1 linear, 2 cosine
    steps: f32,
    warmup: f32, // 0 for none
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dials: array<f32>;
@group(0) @binding(2) var<storage, read> clock: array<u32>;
@group(0) @binding(3) var<storage, read_write> rates: array<f32>;

// sin(pi x) for |x| <= 1/2, by its series to x^11.
fn sine(x: f32) -> f32 {
    let y = x * 3.14159265;
    let square = y * y;
    return y * (1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0 * (1.0 - square / 72.0 * (1.0 - square / 110.0)))));
}

@compute @workgroup_size(64)
fn schedule(@builtin(local_invocation_index) thread: u32) {
    let t = f32(clock[params.lane]);
    let part = min(t / params.steps, 1.0);
    var factor = 1.0;
    if (params.warmup > 0.0) {
        factor = min(t / params.warmup, 1.0);
    }
    if (params.fall == 1u) {
        factor *= 1.0 - part;
    } else if (params.fall == 2u) {
        factor *= 0.5 - 0.5 * sine(part - 0.5);
    }
    for (var i = thread; i < params.n; i += 64u) {
        rates[i] = factor * dials[i];
    }
}
