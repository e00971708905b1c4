//<enable> subgroups;
// A browser wants that said, naga doesn't know it yet: engine/gpu/layout.rs makes a directive of the mark. Comes before all else.
//
// Threads of a quad, two by two, give one another values.

// The block of the thread beside.
fn beside_block(block: mat4x4f) -> mat4x4f {
    return mat4x4f(quadSwapX(block[0]), quadSwapX(block[1]), quadSwapX(block[2]), quadSwapX(block[3]));
}

// The block of the thread below or above.
fn below_block(block: mat4x4f) -> mat4x4f {
    return mat4x4f(quadSwapY(block[0]), quadSwapY(block[1]), quadSwapY(block[2]), quadSwapY(block[3]));
}
