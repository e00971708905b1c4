// What the shaders share that work by blocks of 4x4 values; see product_blocks.wgsl.

override DOWN: u32 = 2u; // 1, 2 or 4
override ACROSS: u32 = 2u; // 1, 2 or 4
override TILE: u32 = 32u; // 32, 64, or of products 16 or 128
override THREADS: u32 = 64u; // of a workgroup, or of each of its SPLIT groups: there 2 * TILE, or 16
override SPLIT: u32 = 1u; // 1, with a TILE up to 64 also 2, up to 32 also 4, of 16 also 8

// What the threads of a workgroup share of both operands: [SPLIT, 16 rows or inner indices of blocks, TILE / 4 blocks].
var<workgroup> shared_left: array<vec4f, 512>;
var<workgroup> shared_right: array<vec4f, 512>;

// Four blocks side by side, of which the first ACROSS count. A block's columns are rows of the product.
struct Blocks {
    first: mat4x4f,
    second: mat4x4f,
    third: mat4x4f,
    fourth: mat4x4f,
}

// sums + rows of the left operand * blocks of the right one
fn add(sums: Blocks, rows: mat4x4f, columns: Blocks) -> Blocks {
    var result = sums;
    result.first += columns.first * rows;
    if (ACROSS > 1u) {
        result.second += columns.second * rows;
    }
    if (ACROSS > 2u) {
        result.third += columns.third * rows;
        result.fourth += columns.fourth * rows;
    }
    return result;
}

// sums + rows of the left operand * a block of the right one, each value by one instruction a term: a driver doesn't make
// that of a product of matrices.
fn accumulate(sums: mat4x4f, columns: mat4x4f, rows: mat4x4f) -> mat4x4f {
    return mat4x4f(
        along(sums[0], columns, rows[0]),
        along(sums[1], columns, rows[1]),
        along(sums[2], columns, rows[2]),
        along(sums[3], columns, rows[3]),
    );
}

fn along(sum: vec4f, columns: mat4x4f, row: vec4f) -> vec4f {
    let first = fma(columns[1], vec4f(row.y), fma(columns[0], vec4f(row.x), sum));
    return fma(columns[3], vec4f(row.w), fma(columns[2], vec4f(row.z), first));
}

fn shared_block_left(at: u32) -> mat4x4f {
    let wide = TILE / 4u;
    return mat4x4f(shared_left[at], shared_left[at + wide], shared_left[at + 2u * wide], shared_left[at + 3u * wide]);
}

fn shared_block_right(at: u32) -> mat4x4f {
    let wide = TILE / 4u;
    return mat4x4f(shared_right[at], shared_right[at + wide], shared_right[at + 2u * wide], shared_right[at + 3u * wide]);
}

