// y[i] = g(g(… i)) with g(v) = v · a + a, in registers alone: nothing that multiplies and adds can be faster.

override ROUNDS: u32;
override FUSED: bool; // whether `fma` is asked for, or a product and a sum that the driver may fuse

@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

fn step(v: vec4f, a: vec4f) -> vec4f {
    if FUSED {
        return fma(v, a, a);
    }
    return v * a + a;
}

fn start(i: u32) -> vec4f {
    return vec4f(f32(4u * i), f32(4u * i + 1u), f32(4u * i + 2u), f32(4u * i + 3u));
}

// 32 values a thread.
@compute @workgroup_size(64)
fn many(@builtin(global_invocation_id) id: vec3u) {
    let first = id.x * 8u;
    if first >= arrayLength(&y) {
        return;
    }
    let a = vec4f(a[0]);
    var v0 = start(first);
    var v1 = start(first + 1u);
    var v2 = start(first + 2u);
    var v3 = start(first + 3u);
    var v4 = start(first + 4u);
    var v5 = start(first + 5u);
    var v6 = start(first + 6u);
    var v7 = start(first + 7u);
    for (var i = 0u; i < ROUNDS; i++) {
        v0 = step(v0, a);
        v1 = step(v1, a);
        v2 = step(v2, a);
        v3 = step(v3, a);
        v4 = step(v4, a);
        v5 = step(v5, a);
        v6 = step(v6, a);
        v7 = step(v7, a);
    }
    y[first] = v0;
    y[first + 1u] = v1;
    y[first + 2u] = v2;
    y[first + 3u] = v3;
    y[first + 4u] = v4;
    y[first + 5u] = v5;
    y[first + 6u] = v6;
    y[first + 7u] = v7;
}

// 8 values a thread, for drivers that give a register of the processor to each value of a thread.
@compute @workgroup_size(64)
fn few(@builtin(global_invocation_id) id: vec3u) {
    let first = id.x * 2u;
    if first >= arrayLength(&y) {
        return;
    }
    let a = vec4f(a[0]);
    var v0 = start(first);
    var v1 = start(first + 1u);
    for (var i = 0u; i < ROUNDS; i++) {
        v0 = step(v0, a);
        v1 = step(v1, a);
    }
    y[first] = v0;
    y[first + 1u] = v1;
}
