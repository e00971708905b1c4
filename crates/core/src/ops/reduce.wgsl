// sum:     y[j] = scale * (sum of those x that fall on j when the summed axes are dropped)
//          `sum_few` takes a thread a value, `sum_many` a workgroup, `sum_all` one for its only value
//          SQUARED: of the squares, in `sum_all`
// repeat:  y[i] = scale * x[j] for each i that falls on j; a thread a value
//
// extent0..3 are the large tensor's; summed0..3 are the same where the small one has 1, else 1.
// `terms` is how many values fall on each j, and `n` how many j there are.

struct Params {
    n: u32,
    terms: u32,
    scale: f32,
    extent0: u32,
    extent1: u32,
    extent2: u32,
    extent3: u32,
    summed0: u32,
    summed1: u32,
    summed2: u32,
    summed3: u32,
}

override SQUARED: bool = false;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

var<workgroup> partial: array<f32, 256>;

fn extents() -> vec4u {
    return vec4u(params.extent0, params.extent1, params.extent2, params.extent3);
}

fn summed() -> vec4u {
    return vec4u(params.summed0, params.summed1, params.summed2, params.summed3);
}

// The indices of the n-th value of a tensor of these extents.
fn unravel(n: u32, extents: vec4u) -> vec4u {
    let n2 = n / extents.w;
    let n1 = n2 / extents.z;
    return vec4u(n1 / extents.y, n1 % extents.y, n2 % extents.z, n % extents.w);
}

fn ravel(index: vec4u, extents: vec4u) -> u32 {
    return ((index.x * extents.y + index.y) * extents.z + index.z) * extents.w + index.w;
}

// The t-th of the values that fall on the one with the indices `kept`: along each axis one of the two indices is 0.
fn term(kept: vec4u, t: u32) -> f32 {
    return x[ravel(kept + unravel(t, summed()), extents())];
}

@compute @workgroup_size(64)
fn sum_few(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var j = id.x; j < params.n; j += groups.x * 64u) {
        let kept = unravel(j, extents() / summed());
        var total = 0.0;
        for (var t = 0u; t < params.terms; t++) {
            total += term(kept, t);
        }
        y[j] = params.scale * total;
    }
}

@compute @workgroup_size(64)
fn sum_many(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) thread: u32,
) {
    let j = group.y * groups.x + group.x;
    let kept = unravel(j, extents() / summed());
    var total = 0.0;
    if (j < params.n) {
        for (var t = thread; t < params.terms; t += 64u) {
            total += term(kept, t);
        }
    }
    partial[thread] = total;
    workgroupBarrier();
    if (thread == 0u && j < params.n) {
        var all = 0.0;
        for (var i = 0u; i < 64u; i++) {
            all += partial[i];
        }
        y[j] = params.scale * all;
    }
}

@compute @workgroup_size(256)
fn sum_all(@builtin(local_invocation_index) thread: u32) {
    var total = 0.0;
    for (var t = thread; t < params.terms; t += 256u) {
        let value = x[t];
        total += select(value, value * value, SQUARED);
    }
    partial[thread] = total;
    for (var others = 128u; others > 0u; others /= 2u) {
        workgroupBarrier();
        if (thread < others) {
            total += partial[thread + others];
            partial[thread] = total;
        }
    }
    if (thread == 0u) {
        y[0] = params.scale * total;
    }
}

@compute @workgroup_size(64)
fn repeat(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let n = params.n * params.terms;
    for (var i = id.x; i < n; i += groups.x * 64u) {
        let index = unravel(i, extents());
        y[i] = params.scale * x[ravel(select(index, vec4u(), summed() > vec4u(1u)), extents() / summed())];
    }
}
