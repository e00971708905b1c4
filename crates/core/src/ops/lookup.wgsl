// Y[i, j] = T[index[i], j], or 0 where the table has no such row               T [classes, columns], Y [rows, columns]

struct Params {
    n: u32, // rows * columns
    classes: u32,
    columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn look_up(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var k = id.x; k < params.n; k += groups.x * 64u) {
        let row = index[k / params.columns];
        let at = min(row, params.classes - 1u) * params.columns + k % params.columns;
        y[k] = select(0.0, table[at], row < params.classes);
    }
}
