// Comes after ../total.wgsl and ../random.wgsl and ../functions.wgsl and ../chain.wgsl.
//
// A link of a chain: see chain.wgsl.

//<to_one>
// Adds up eight sums of each thread, and writes those that there are.
fn LINK_fold(part: array<vec4f, 2>, first: u32, left: u32, to: u32, thread: u32) {
    var sums = columns(part[0], part[1], thread, 1u);
    for (var n = thread; n < min(left, 8u); n += THREADS) {
        LINK_PUT(vec4f(sums[n / 4u][n % 4u]), to + n, first + n);
    }
}
//</to_one>

// A product of the image's values with few columns, as is D's head; or with as few rows, as is its gradient. Four values of the image
// meet NARROW fours of weights, one of each column in turn. Of lines that name NTH there is one for each column, of those that name
// ROW for each eight.
fn LINK_run(image: u32, thread: u32) {
    //<constants>
    const FOURS = 196u; // of an image
    const NARROW = 11u; // columns
    //</constants>
    //<to_one>
    var sums: array<array<vec4f, 2>, (NARROW + 7u) / 8u>;
    //</to_one>
    //<to_fours>
    let x_LINK_NTH = LINK_X(image * NARROW + LINK_NTH);
    //</to_fours>
    for (var i = thread; i < FOURS; i += THREADS) {
        var w: array<vec4f, NARROW>;
        w[LINK_NTH] = LINK_W(i * NARROW + LINK_NTH);
        let column_LINK_NTH = vec4f(w[LINK_NTH / 4u][LINK_NTH % 4u], w[(NARROW + LINK_NTH) / 4u][(NARROW + LINK_NTH) % 4u], w[(2u * NARROW + LINK_NTH) / 4u][(2u * NARROW + LINK_NTH) % 4u], w[(3u * NARROW + LINK_NTH) / 4u][(3u * NARROW + LINK_NTH) % 4u]);
        //<to_one>
        let x = LINK_X(image * FOURS + i);
        sums[LINK_NTH / 8u][LINK_NTH / 4u % 2u][LINK_NTH % 4u] += dot(x, column_LINK_NTH);
        //</to_one>
        //<to_fours>
        var sum = vec4f();
        sum += x_LINK_NTH * column_LINK_NTH;
        LINK_PUT(sum, image * FOURS + i, i);
        //</to_fours>
    }
    //<to_one>
    LINK_fold(sums[LINK_ROW], 8u * LINK_ROW, NARROW - 8u * LINK_ROW, image * NARROW + 8u * LINK_ROW, thread);
    //</to_one>
}
