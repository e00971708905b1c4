// What the threads of a workgroup sum up together.

override THREADS: u32 = 64u; // of a workgroup, a power of two

var<workgroup> partial: array<vec2f, THREADS>;

// The sums of both over the workgroup, to every thread.
fn total(part: vec2f, thread: u32) -> vec2f {
    workgroupBarrier();
    partial[thread] = part;
    workgroupBarrier();
    // By halves, until each thread may as well add up what is left.
    var left = THREADS;
    while (left > 8u) {
        left /= 2u;
        if (thread < left) {
            partial[thread] += partial[thread + left];
        }
        workgroupBarrier();
    }
    var sum = vec2f();
    for (var i = 0u; i < left; i++) {
        sum += partial[i];
    }
    return sum;
}
