// What the shaders share that work by blocks of 4x4 values; see product_blocks.wgsl.

override DOWN: u32 = 2u; // 1, 2 or 4
override ACROSS: u32 = 2u; // 1, 2 or 4
override TILE: u32 = 32u; // 32 or 64
override THREADS: u32 = 64u; // of a workgroup, or of each of its SPLIT groups: there 2 * TILE
override SPLIT: u32 = 1u; // 1, 2, or with a TILE of 32 also 4

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

fn shared_block_left(at: u32) -> mat4x4f {
    let wide = TILE / 4u;
    return mat4x4f(shared_left[at], shared_left[at + wide], shared_left[at + 2u * wide], shared_left[at + 3u * wide]);
}

fn shared_block_right(at: u32) -> mat4x4f {
    let wide = TILE / 4u;
    return mat4x4f(shared_right[at], shared_right[at + wide], shared_right[at + 2u * wide], shared_right[at + 3u * wide]);
}

