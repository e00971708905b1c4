// pick:  Y[i] = X[i, index[i] + offset]                                 X [rows, columns], Y [rows]
// place: Y[i, j] = X[i] where j = index[i] + offset, else 0             X [rows], Y [rows, columns]
//
// Each is the other's gradient. An index that leads past the last column picks 0 and places nothing.

struct Params {
    rows: u32,
    columns: u32,
    offset: u32, // at most columns
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

// The column that a row's index names; `columns` if there is none.
fn column_of(row: u32) -> u32 {
    // Not index + offset < columns: that sum may wrap.
    return params.offset + min(index[row], params.columns - params.offset);
}

@compute @workgroup_size(64)
fn pick(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var i = id.x; i < params.rows; i += groups.x * 64u) {
        let column = column_of(i);
        var value = 0.0;
        if (column < params.columns) {
            value = x[i * params.columns + column];
        }
        y[i] = value;
    }
}

@compute @workgroup_size(64)
fn place(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let n = params.rows * params.columns;
    for (var k = id.x; k < n; k += groups.x * 64u) {
        let row = k / params.columns;
        y[k] = select(0.0, x[row], k % params.columns == column_of(row));
    }
}
