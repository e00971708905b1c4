// Comes after subgroups.wgsl and blocks.wgsl and epilogue_fours.wgsl and product_blocks.wgsl.
//
// product_blocks.wgsl's `multiply` where a vector of the processor is four threads, a quad. A value that is read from memory
// costs it ten multiplications, and one that another thread of the quad holds a single instruction. So a quad's tiles of
// DOWN x ACROSS blocks lie two by two, a thread reads half of the rows and half of the columns that it needs, and has the
// other halves from the threads beside and below. Its blocks are in that order: its own half first.

override AHEAD: u32 = 1u; // fours of the inner dimension a round, 1 or 2; K is whole rounds

// Blocks below one another, of which the first DOWN count.
struct Tile {
    first: Blocks,
    second: Blocks,
    third: Blocks,
    fourth: Blocks,
}

// `sums` and what four of the inner dimension add. `row` and `column` are the first that the thread reads.
fn advance(sums: Tile, row: u32, column: u32, l: u32) -> Tile {
    var columns = Blocks();
    columns.first = right(l, column);
    if (ACROSS > 2u) {
        columns.second = right(l, column + 4u);
        columns.third = below_block(columns.first);
        columns.fourth = below_block(columns.second);
    } else {
        columns.second = below_block(columns.first);
    }
    var result = sums;
    let rows = left(row, l);
    result.first = add(sums.first, rows, columns);
    if (DOWN > 2u) {
        let more = left(row + 4u, l);
        result.second = add(sums.second, more, columns);
        result.third = add(sums.third, beside_block(rows), columns);
        result.fourth = add(sums.fourth, beside_block(more), columns);
    } else {
        result.second = add(sums.second, beside_block(rows), columns);
    }
    return result;
}

@compute @workgroup_size(THREADS)
fn multiply_quads(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_id) local: vec3u,
) {
    let quad = ((group.y * groups.x + group.x) * THREADS + local.x) / 4u;
    let quads_across = (params.n + 8u * ACROSS - 1u) / (8u * ACROSS);
    let beside = local.x % 2u;
    let below = local.x / 2u % 2u;
    let row = (2u * (quad / quads_across) + below) * 4u * DOWN;
    let column = (2u * (quad % quads_across) + beside) * 4u * ACROSS;
    let own_row = row + beside * 2u * DOWN;
    let own_column = column + below * 2u * ACROSS;

    // Nobody may leave before: the others need what everybody reads.
    var sums = Tile();
    for (var l = 0u; l < params.k; l += 4u * AHEAD) {
        sums = advance(sums, own_row, own_column, l);
        if (AHEAD > 1u) {
            sums = advance(sums, own_row, own_column, l + 4u);
        }
    }

    let columns = vec2u(own_column, column + (1u - below) * 2u * ACROSS);
    let other_row = row + (1u - beside) * 2u * DOWN;
    write_tile_row(own_row, columns, sums.first);
    if (DOWN > 2u) {
        write_tile_row(own_row + 4u, columns, sums.second);
        write_tile_row(other_row, columns, sums.third);
        write_tile_row(other_row + 4u, columns, sums.fourth);
    } else {
        write_tile_row(other_row, columns, sums.second);
    }
}

// `columns`: the first of the thread's own, and of the other half.
fn write_tile_row(row: u32, columns: vec2u, sums: Blocks) {
    write(row, columns.x, sums.first);
    if (ACROSS > 2u) {
        write(row, columns.x + 4u, sums.second);
        write(row, columns.y, sums.third);
        write(row, columns.y + 4u, sums.fourth);
    } else {
        write(row, columns.y, sums.second);
    }
}
