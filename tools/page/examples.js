/* SPDX-License-Identifier: MIT */
/*
 * examples.js: sessions to begin with. Each has a title, the steps, how many of these are done at
 * first, and a text on what to look at; one with a map, as address.js has it, brings its machine
 * along. The others can be done on any machine with 16 MiB of free memory, and none depends on how
 * much more there is. On a machine whose first block has hardly any free frame, an example may show
 * less than its text says.
 */
"use strict";

const ALLOCATOR_EXAMPLES = [
	{
		title: "One page and its batch",
		steps: "a0_a0_a0_d",
		position: 1,
		look: "One request takes a batch of frames out of the bits of an open block, under one " +
			"hold of the lock. It gets the lowest; the others, marked 0 in the block, wait in " +
			"the frame cache of CPU 0. Go forward: each further request pops one frame from " +
			"the stack, and nr_free of the zone stays as it is. At the end drain_all_pages() " +
			"gives back what is left.",
	},
	{
		title: "Freed last, used first",
		steps: "a0*4_f2_f3_a0_a0",
		position: 1,
		look: "CPU 0 holds four pages. Go forward: it frees allocation 2 and then 3, and both " +
			"come to the top of its stack pages. The next request gets the frame that was " +
			"freed last, which is most likely still in the CPU's own cache; the one after it " +
			"gets the other.",
	},
	{
		title: "Split and merge",
		steps: "a10_a10_f1_f2",
		position: 1,
		look: "Order 10, two blocks, has no frame cache: it comes straight out of the bits of a " +
			"gib. Go forward and watch the free runs of each order in the table of the zones. " +
			"A larger run is split by clearing two bits. The frees set these bits again, and " +
			"that is the merge: in the end all counts are those of the set-up.",
	},
	{
		title: "Order 9: a block leaves",
		steps: "a9_l_d",
		position: 1,
		look: "A request of order 9 takes a whole block. Its bit in the gib is cleared, and it " +
			"is a head there. It is not opened: its bitmap and its 512 descriptors stay " +
			"unread. On a large machine the frame cache of order 9 takes some blocks more. Go " +
			"forward: the block goes to the frame cache, if there is one, and in the end it " +
			"is whole again.",
	},
	{
		title: "keep_below",
		steps: "a0*3000_f1500*700_a0*530_f2900*40_d",
		position: 1,
		look: "Memory packs itself when high frames are not used again while lower ones are " +
			"free. CPU 0 allocates 3,000 pages and frees 700 from their middle. The 530 " +
			"requests of step 3 use up the stack, and a refill takes the lowest of the 700: " +
			"keep_below is the end of that block. Step 4 frees 40 pages that lie higher. They " +
			"go to the stack out, and from there back to the bits.",
	},
	{
		title: "A full block stays open",
		steps: "a0h_l_d_a0h",
		position: 1,
		look: "The request opens a block of its own. Go forward: in step 3 its last frame comes " +
			"back to the bits, all 512 are set, and the block is full. It does not close: " +
			"idle[0] of the zone names it now. So the request of step 4 need not open it " +
			"again.",
	},
	{
		title: "The unmovable block",
		steps: "a0_a0h_a0h_a2h_a0",
		position: 1,
		look: "An allocation that stays for long costs its block, which can never become whole. " +
			"With the hint __GFP_UNMOVABLE such allocations lie together, in one block of the " +
			"zone that the index does not hold, so that no other request finds it. It is " +
			"marked u in the gib. Go forward, and see which block serves which request.",
	},
	{
		title: "Memory runs out",
		steps: "a18*all_a9*all_a0.1_a0*all_a0_l.1_a0",
		position: 4,
		look: "All gibs are allocated, then all blocks, then all frames; the last came out of " +
			"the frame caches of both CPUs. Free memory that is left is the reserve of lower " +
			"zones (lowmem_reserve). Go forward: the request of step 5 fails. In step 6 CPU 1 " +
			"frees a page, into its own frame cache. The request of step 7 on CPU 0 gets it, " +
			"because before it fails it has the caches of all CPUs emptied.",
	},
	{
		title: "2,000 operations",
		steps: "r1*1000_r2*1000_d_l*all_d",
		position: 2,
		look: "Both CPUs have allocated and freed at random. See in the gib how few blocks are " +
			"open: the lowest open block serves first, and the others can become whole. Go " +
			"forward: when all has been freed, the free runs of each order are those of the " +
			"set-up, because nothing is lost between splits and merges.",
	},
	{
		title: "Two NUMA nodes",
		map: ".9fp-1m.7ffm-n0..1g-n1..1g",
		steps: "a0.1_a0n1_a0n1_f1_a9*600",
		position: 1,
		look: "This is a machine with two nodes of 1 GiB each: CPU 0 is on node 0, CPU 1 on node " +
			"1. In step 1 CPU 1 allocates a page, which comes from its own node. Go forward: " +
			"CPU 0 asks for a page of node 1, and its cache away, the one for memory that is " +
			"not of its home, takes a batch there. So the request of step 3 needs no lock, and " +
			"the page of CPU 1 that CPU 0 frees in step 4 goes to that cache. The 600 blocks of " +
			"step 5 are more than node 0 has: the rest comes from node 1, the next in node 0's " +
			"order of fallback.",
	},
];
