// softmax:     Y[i, j] = exp(X[i, j] - max X[i]) / sum of those             X [rows, columns], Y the same
// log_sum_exp: Y[i] = max X[i] + log(sum of exp(X[i, j] - max X[i]))        Y [rows]
// greatest:    Y[i] = max X[i]                                              Y [rows]
//
// A thread takes a row.

struct Params {
    rows: u32,
    columns: u32, // at least 1
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn greatest_of(start: u32) -> f32 {
    var most = x[start];
    for (var j = 1u; j < params.columns; j++) {
        most = max(most, x[start + j]);
    }
    return most;
}

fn sum_of(start: u32, most: f32) -> f32 {
    var sum = 0.0;
    for (var j = 0u; j < params.columns; j++) {
        sum += exp(x[start + j] - most);
    }
    return sum;
}

@compute @workgroup_size(64)
fn softmax(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var i = id.x; i < params.rows; i += groups.x * 64u) {
        let start = i * params.columns;
        let most = greatest_of(start);
        let sum = sum_of(start, most);
        for (var j = 0u; j < params.columns; j++) {
            y[start + j] = exp(x[start + j] - most) / sum;
        }
    }
}

@compute @workgroup_size(64)
fn log_sum_exp(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var i = id.x; i < params.rows; i += groups.x * 64u) {
        let start = i * params.columns;
        let most = greatest_of(start);
        y[i] = most + log(sum_of(start, most));
    }
}

@compute @workgroup_size(64)
fn greatest(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var i = id.x; i < params.rows; i += groups.x * 64u) {
        y[i] = greatest_of(i * params.columns);
    }
}
