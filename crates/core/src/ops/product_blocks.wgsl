// Comes after blocks.wgsl and epilogue_fours.wgsl.
//
// Y[m, n] = activation( sum over l of A[m, l] * B[l, n]  + bias[n] ), as product.wgsl, by whole blocks of 4x4 values.
//
// Every load is a vec4: K must be a multiple of 4, N too, and M where A is read transposed. A block of a transposed
// operand is transposed in registers; adding a block is one product of matrices. Rows and columns past the edge read
// the last valid ones and are not written.
//
// `multiply` is for adapters that run shaders on the CPU, where barriers and loads are dear and registers are not
// scarce, being memory: a thread owns DOWN x ACROSS blocks and needs no barrier. `multiply_shared` is for GPUs: a
// workgroup owns TILE x TILE values, of which a thread owns one block, two of 64x64, four of 128x128; both operands pass
// through workgroup memory, 16 of the inner dimension at a time. SPLIT such groups of threads share one tile, each summing its
// own stretch of the inner dimension, and their sums are added in order.

struct Params {
    m: u32,
    n: u32,
    k: u32,
}

override TRANSPOSED_A: bool = false;
override TRANSPOSED_B: bool = false;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;

// A[row.., l..], one row in each column.
fn left(row: u32, l: u32) -> mat4x4f {
    if (TRANSPOSED_A) {
        let step = params.m / 4u;
        let at = l * step + min(row, params.m - 4u) / 4u;
        return transpose(mat4x4f(a[at], a[at + step], a[at + 2u * step], a[at + 3u * step]));
    }
    let at = min(row + vec4u(0u, 1u, 2u, 3u), vec4u(params.m - 1u)) * (params.k / 4u) + l / 4u;
    return mat4x4f(a[at.x], a[at.y], a[at.z], a[at.w]);
}

// B[l.., column..], one row in each column.
fn right(l: u32, column: u32) -> mat4x4f {
    let inside = min(column, params.n - 4u);
    if (TRANSPOSED_B) {
        let step = params.k / 4u;
        let at = inside * step + l / 4u;
        return transpose(mat4x4f(b[at], b[at + step], b[at + 2u * step], b[at + 3u * step]));
    }
    let step = params.n / 4u;
    let at = l * step + inside / 4u;
    return mat4x4f(b[at], b[at + step], b[at + 2u * step], b[at + 3u * step]);
}

fn right_blocks(l: u32, column: u32) -> Blocks {
    var blocks = Blocks();
    blocks.first = right(l, column);
    if (ACROSS > 1u) {
        blocks.second = right(l, column + 4u);
    }
    if (ACROSS > 2u) {
        blocks.third = right(l, column + 8u);
        blocks.fourth = right(l, column + 12u);
    }
    return blocks;
}

@compute @workgroup_size(THREADS)
fn multiply(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_id) local: vec3u,
) {
    let tile = (group.y * groups.x + group.x) * THREADS + local.x;
    let tiles_across = (params.n + 4u * ACROSS - 1u) / (4u * ACROSS);
    let row = tile / tiles_across * 4u * DOWN;
    let column = tile % tiles_across * 4u * ACROSS;
    if (row >= params.m) {
        return;
    }

    var sums0 = Blocks();
    var sums1 = Blocks();
    var sums2 = Blocks();
    var sums3 = Blocks();
    for (var l = 0u; l < params.k; l += 4u) {
        let columns = right_blocks(l, column);
        sums0 = add(sums0, left(row, l), columns);
        if (DOWN > 1u) {
            sums1 = add(sums1, left(row + 4u, l), columns);
        }
        if (DOWN > 2u) {
            sums2 = add(sums2, left(row + 8u, l), columns);
            sums3 = add(sums3, left(row + 12u, l), columns);
        }
    }

    write_blocks(row, column, sums0);
    if (DOWN > 1u) {
        write_blocks(row + 4u, column, sums1);
    }
    if (DOWN > 2u) {
        write_blocks(row + 8u, column, sums2);
        write_blocks(row + 12u, column, sums3);
    }
}

fn write_blocks(row: u32, column: u32, sums: Blocks) {
    write(row, column, sums.first);
    if (ACROSS > 1u) {
        write(row, column + 4u, sums.second);
    }
    if (ACROSS > 2u) {
        write(row, column + 8u, sums.third);
        write(row, column + 12u, sums.fourth);
    }
}

fn write(row: u32, column: u32, block: mat4x4f) {
    if (column >= params.n) {
        return;
    }
    write_row(row, column / 4u, block[0]);
    write_row(row + 1u, column / 4u, block[1]);
    write_row(row + 2u, column / 4u, block[2]);
    write_row(row + 3u, column / 4u, block[3]);
}

fn write_row(row: u32, column: u32, sums: vec4f) {
    if (row < params.m) {
        let at = row * (params.n / 4u) + column;
        y[at] = finish(sums, column, at);
    }
}

// Blocks of one inner index lie swapped by it, so that threads that store side by side don't meet in a bank.
fn swapped(block: u32, inner: u32) -> u32 {
    return block ^ (select(2u, 1u, TILE < 32u) * inner);
}

fn share(at: u32, sum: vec4f) {
    if (at < 512u) {
        shared_left[at] = sum;
    } else {
        shared_right[at - 512u] = sum;
    }
}

fn shared_by(at: u32) -> vec4f {
    if (at < 512u) {
        return shared_left[at];
    }
    return shared_right[at - 512u];
}

@compute @workgroup_size(THREADS, SPLIT)
fn multiply_shared(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_id) local: vec3u,
) {
    let tile = group.y * groups.x + group.x;
    let tiles_across = (params.n + TILE - 1u) / TILE;
    let first_row = tile / tiles_across * TILE;
    let first_column = tile % tiles_across * TILE;

    // The first half of the threads loads blocks of A, the second blocks of B; each has one in every 16. With the smallest tile
    // there are half as many, and each loads both.
    let wide = TILE / 4u; // blocks side by side
    let base = local.y * 4u * TILE;
    let load = local.x % TILE;
    // Block and inner index: neighbours in memory are loaded by neighbouring threads.
    let apart = vec2u(load % wide, load / wide);
    let along = vec2u(load / 4u, load % 4u);
    let from_left = select(along, apart, TRANSPOSED_A);
    let from_right = select(apart, along, TRANSPOSED_B);

    // The block that the thread owns, and the ones half a tile below and beside.
    let owners = min(wide, 16u);
    let down = local.x / owners;
    let across = local.x % owners;

    var sums0 = mat4x4f();
    var sums1 = mat4x4f();
    var sums2 = mat4x4f();
    var sums3 = mat4x4f();
    let stretch = (params.k + 16u * SPLIT - 1u) / (16u * SPLIT) * 16u;
    for (var step = 0u; step < stretch; step += 16u) {
        let l = local.y * stretch + step;
        if (TILE < 32u || local.x < TILE) {
            var block = mat4x4f();
            if (l + 4u * from_left.y < params.k) {
                block = left(first_row + 4u * from_left.x, l + 4u * from_left.y);
            }
            let store = base + from_left.y * TILE + swapped(from_left.x, from_left.y);
            shared_left[store] = block[0];
            shared_left[store + wide] = block[1];
            shared_left[store + 2u * wide] = block[2];
            shared_left[store + 3u * wide] = block[3];
        }
        if (TILE < 32u || local.x >= TILE) {
            var block = mat4x4f();
            if (l + 4u * from_right.y < params.k) {
                block = right(l + 4u * from_right.y, first_column + 4u * from_right.x);
            }
            let store = base + from_right.y * TILE + swapped(from_right.x, from_right.y);
            shared_right[store] = block[0];
            shared_right[store + wide] = block[1];
            shared_right[store + 2u * wide] = block[2];
            shared_right[store + 3u * wide] = block[3];
        }
        workgroupBarrier();
        for (var i = 0u; i < 4u; i++) {
            let at = base + i * TILE;
            let columns = shared_block_right(at + swapped(across, i));
            let rows = shared_block_left(at + swapped(down, i));
            sums0 = accumulate(sums0, columns, rows);
            if (TILE > 32u) {
                let below = shared_block_left(at + swapped(down + wide / 2u, i));
                sums1 = accumulate(sums1, columns, below);
                if (TILE > 64u) {
                    let beside = shared_block_right(at + swapped(across + 16u, i));
                    sums2 = accumulate(sums2, beside, rows);
                    sums3 = accumulate(sums3, beside, below);
                }
            }
        }
        workgroupBarrier();
    }

    if (SPLIT > 1u && TILE < 64u) {
        // What each has summed of a block, [SPLIT, 4 rows, THREADS]; then each sums rows up.
        let mine = local.y * 4u * THREADS + local.x;
        share(mine, sums0[0]);
        share(mine + THREADS, sums0[1]);
        share(mine + 2u * THREADS, sums0[2]);
        share(mine + 3u * THREADS, sums0[3]);
        workgroupBarrier();
        for (var r = local.y; r < 4u; r += SPLIT) {
            var sum = shared_by(r * THREADS + local.x);
            for (var s = 1u; s < SPLIT; s++) {
                sum += shared_by((s * 4u + r) * THREADS + local.x);
            }
            if (first_column + 4u * across < params.n) {
                write_row(first_row + 4u * down + r, first_column / 4u + across, sum);
            }
        }
        return;
    }
    if (SPLIT > 1u) {
        let at = local.x;
        if (local.y == 1u) {
            shared_left[at] = sums0[0];
            shared_left[at + THREADS] = sums0[1];
            shared_left[at + 2u * THREADS] = sums0[2];
            shared_left[at + 3u * THREADS] = sums0[3];
            shared_right[at] = sums1[0];
            shared_right[at + THREADS] = sums1[1];
            shared_right[at + 2u * THREADS] = sums1[2];
            shared_right[at + 3u * THREADS] = sums1[3];
        }
        workgroupBarrier();
        sums0 += mat4x4f(
            shared_left[at],
            shared_left[at + THREADS],
            shared_left[at + 2u * THREADS],
            shared_left[at + 3u * THREADS],
        );
        sums1 += mat4x4f(
            shared_right[at],
            shared_right[at + THREADS],
            shared_right[at + 2u * THREADS],
            shared_right[at + 3u * THREADS],
        );
    }

    if (local.y == 0u) {
        write(first_row + 4u * down, first_column + 4u * across, sums0);
        if (TILE > 32u) {
            write(first_row + 4u * down + TILE / 2u, first_column + 4u * across, sums1);
        }
        if (TILE > 64u) {
            write(first_row + 4u * down, first_column + 4u * across + 64u, sums2);
            write(first_row + 4u * down + 64u, first_column + 4u * across + 64u, sums3);
        }
    }
}
