// Comes after epilogue.wgsl.
//
// Y[m, n] = activation( sum over l of A[m, l] * B[l, n]  + bias[n] )
//
// A thread owns a 4x4 tile of Y in registers and needs no barrier to fill it. TILES tiles lie side by side in a
// workgroup; SPLIT threads share one tile, each summing its own stretch of the inner dimension, and add the parts
// pairwise down to four and those in order, so the result never depends on timing. A transposed operand is only another pair of
// strides. Rows and columns past the edge read the last valid one and are not written. It takes any extents; those that
// consist of whole blocks of 4x4 have product_blocks.wgsl.

struct Params {
    m: u32,
    n: u32,
    k: u32,
}

override TILES: u32 = 64u;
override SPLIT: u32 = 1u;
override TRANSPOSED_A: bool = false;
override TRANSPOSED_B: bool = false;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// The partial tiles of threads that share one: [SPLIT, TILES, 4 rows].
var<workgroup> partial: array<vec4f, 256>;

@compute @workgroup_size(TILES, SPLIT)
fn multiply(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_id) local: vec3u,
) {
    let tile = (group.y * groups.x + group.x) * TILES + local.x;
    let across = (params.n + 3u) / 4u;
    let row = (tile / across) * 4u;
    let column = (tile % across) * 4u;

    let rows = min(row + vec4u(0u, 1u, 2u, 3u), vec4u(params.m - 1u)) * select(params.k, 1u, TRANSPOSED_A);
    let columns = min(column + vec4u(0u, 1u, 2u, 3u), vec4u(params.n - 1u)) * select(1u, params.k, TRANSPOSED_B);
    let a_inner = select(1u, params.m, TRANSPOSED_A);
    let b_inner = select(params.n, 1u, TRANSPOSED_B);

    let stretch = (params.k + SPLIT - 1u) / SPLIT;
    let first = local.y * stretch;
    let last = min(first + stretch, params.k);

    var sum0 = vec4f();
    var sum1 = vec4f();
    var sum2 = vec4f();
    var sum3 = vec4f();
    for (var l = first; l < last; l++) {
        let ia = l * a_inner;
        let ib = l * b_inner;
        let right = vec4f(b[ib + columns.x], b[ib + columns.y], b[ib + columns.z], b[ib + columns.w]);
        sum0 += a[ia + rows.x] * right;
        sum1 += a[ia + rows.y] * right;
        sum2 += a[ia + rows.z] * right;
        sum3 += a[ia + rows.w] * right;
    }

    if (SPLIT > 1u) {
        let mine = (local.y * TILES + local.x) * 4u;
        partial[mine] = sum0;
        partial[mine + 1u] = sum1;
        partial[mine + 2u] = sum2;
        partial[mine + 3u] = sum3;
        for (var others = SPLIT / 2u; others > 2u; others /= 2u) {
            workgroupBarrier();
            for (var r = mine; local.y < others && r < mine + 4u; r++) {
                partial[r] += partial[others * TILES * 4u + r];
            }
        }
        workgroupBarrier();
        // Of what is left a thread has a row, or two.
        let left = min(SPLIT, 4u);
        for (var r = local.y; local.y < left && r < 4u; r += left) {
            var sum = partial[local.x * 4u + r];
            for (var other = 1u; other < left; other++) {
                sum += partial[(other * TILES + local.x) * 4u + r];
            }
            write(row + r, column, sum);
        }
        return;
    }

    write(row, column, sum0);
    write(row + 1u, column, sum1);
    write(row + 2u, column, sum2);
    write(row + 3u, column, sum3);
}

fn write(row: u32, column: u32, values: vec4f) {
    if (row >= params.m) {
        return;
    }
    for (var j = 0u; j < 4u; j++) {
        if (column + j < params.n) {
            let at = row * params.n + column + j;
            y[at] = finish(values[j], column + j, at);
        }
    }
}
