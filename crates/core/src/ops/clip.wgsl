// w = min(max(w, -bound), bound)
//
// In place, after an optimiser's step.

struct Params {
    n: u32,
    bound: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> weight: array<f32>;

@compute @workgroup_size(64)
fn update(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var i = id.x; i < params.n; i += groups.x * 64u) {
        weight[i] = clamp(weight[i], -params.bound, params.bound);
    }
}
