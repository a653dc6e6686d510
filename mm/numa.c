/* SPDX-License-Identifier: MIT */
/*
 * numa.c: the nodes, and the order in which each of them asks the zones.
 */
#include "mm/cache.h"

static uint64_t online = 1;                           /* bit i: node i is known */
static uint8_t distances[MAX_NUMNODES][MAX_NUMNODES]; /* [from][to]; 0: not set */
static int nr_distances;                              /* rows that may have a distance */
static int cpu_nodes[MM_MAX_CPUS];
/* CPUs with numbers below this have a node and a home; those that nobody has named are node 0's. */
#define FIRST_NAMED (MM_STATIC_CPUS + !MM_STATIC_CPUS)
static unsigned int nr_named = FIRST_NAMED;
int cpu_homes[MM_MAX_CPUS];

/* The fallback lists: numbers of zones, and ZONE_NONE behind the last. */
static const uint8_t no_zones[] = { ZONE_NONE };
__extension__ MM_INTERNAL const uint8_t *node_zonelists[MAX_NUMNODES] = {
	[0 ... MAX_NUMNODES - 1] = no_zones,
};

void numa_init(void)
{
	while (nr_distances)
		memset(distances[--nr_distances], 0, sizeof(distances[0]));
	memset(cpu_nodes, 0, nr_named * sizeof(cpu_nodes[0]));
	memset(cpu_homes, 0, nr_named * sizeof(cpu_homes[0]));
	nr_named = FIRST_NAMED;
	online = 1;
}

void node_set_online(int nid)
{
	MM_ASSERT(numa_valid_node(nid));
	online |= 1ull << nid;
}

bool node_online(int nid)
{
	return numa_valid_node(nid) && online >> nid & 1;
}

int nr_node_ids(void)
{
	return 64 - __builtin_clzll(online);
}

void node_set_distance(int from, int to, unsigned int distance)
{
	MM_ASSERT(numa_valid_node(from) && numa_valid_node(to));
	MM_ASSERT(distance >= LOCAL_DISTANCE && distance <= UINT8_MAX);
	distances[from][to] = (uint8_t)distance;
	if (nr_distances <= from)
		nr_distances = from + 1;
}

unsigned int node_distance(int from, int to)
{
	if (numa_valid_node(from) && numa_valid_node(to) && distances[from][to])
		return distances[from][to];
	return from == to ? LOCAL_DISTANCE : REMOTE_DISTANCE;
}

void set_cpu_numa_node(unsigned int cpu, int nid)
{
	MM_ASSERT(cpu < MM_MAX_CPUS && numa_valid_node(nid));
	node_set_online(nid);
	cpu_nodes[cpu] = nid;
	if (nr_named <= cpu)
		nr_named = cpu + 1;
}

int cpu_to_node(unsigned int cpu)
{
	return cpu_nodes[cpu];
}

int numa_node_id(void)
{
	return cpu_nodes[port_cpu_id()];
}

int page_to_nid(const struct page *head)
{
	return page_zone(head)->node;
}

uint64_t node_present_pages(int nid)
{
	uint64_t sum = 0;

	for_each_zone(z)
		sum += z->node == nid ? z->present : 0;
	return sum;
}

uint64_t node_managed_pages(int nid)
{
	uint64_t sum = 0;

	for_each_zone(z)
		sum += z->node == nid ? z->managed : 0;
	return sum;
}

uint64_t node_free_pages(int nid)
{
	uint64_t sum = 0;

	for_each_zone(z)
		sum += z->node == nid ? zone_nr_free_pages(z) : 0;
	return sum;
}

/* Nodes in the order of a list: a key of each, by which they are sorted, and their numbers. */
struct node_order {
	uint32_t key[MAX_NUMNODES];
	uint8_t node[MAX_NUMNODES];
	unsigned int nr;
};

/* Adds a node to the order *o, behind the nodes whose keys are not larger than its key. */
static void add_node(struct node_order *o, unsigned int node, uint32_t key)
{
	unsigned int i = o->nr++;

	for (; i && o->key[i - 1] > key; i--) {
		o->key[i] = o->key[i - 1];
		o->node[i] = o->node[i - 1];
	}
	o->key[i] = key;
	o->node[i] = (uint8_t)node;
}

static uint64_t first_nodes; /* bit i: node i has RAM since zones_init() */

/* How often nodes were the first at their distance in the lists of the nodes with lower numbers. */
struct firsts {
	uint16_t times[MAX_NUMNODES];
};

/*
 * Orders the nodes, nearest to nid first. Nodes that have RAM since zones_init() come in a ring
 * that begins with nid, at the same distance by *firsts; behind them at the same distance the other
 * nodes that are known.
 */
static void order_nodes(struct node_order *o, int nid, struct firsts *firsts)
{
	uint64_t part = first_nodes >> nid << nid, wrapped = first_nodes ^ part;
	uint64_t others = online & ~first_nodes;
	unsigned int distance = 0;

	o->nr = 0;
	for (; part | wrapped; part &= part - 1) {
		unsigned int node, away;

		if (!part) {
			part = wrapped;
			wrapped = 0;
		}
		node = (unsigned int)__builtin_ctzll(part);
		away = (int)node == nid ? 0 : node_distance(nid, (int)node);
		add_node(o, node, away << 16 | firsts->times[node]);
	}
	for (unsigned int i = 0; i < o->nr; i++) {
		if (o->key[i] >> 16 != distance)
			firsts->times[o->node[i]]++;
		distance = o->key[i] >> 16;
	}
	for (; others; others &= others - 1) {
		int node = __builtin_ctzll(others);
		unsigned int away = node == nid ? 0 : node_distance(nid, node);

		add_node(o, (unsigned int)node, away << 16 | UINT16_MAX);
	}
}

/*
 * Calls each() with the order of the nodes as each of them sees it, by rising number. A number
 * below the highest that no node has gets an order, too.
 */
static void for_orders(void (*each)(int nid, const struct node_order *order))
{
	struct firsts firsts = { { 0 } };
	struct firsts spare = { { 0 } }; /* of a list that no CPU uses, or just one */
	struct node_order order;

	for (int nid = 0; nid < nr_node_ids(); nid++) {
		order_nodes(&order, nid, node_online(nid) ? &firsts : &spare);
		each(nid, &order);
	}
}

/* Appends the zone of a node and type to a list, if there is one. Returns the list's end. */
static uint8_t *append(uint8_t *at, int nid, unsigned int type)
{
	if (node_zone(nid, type) != &no_zone)
		*at++ = node_zone(nid, type)->id;
	return at;
}

/* Returns whether a node has RAM now: what it has since zones_init() does not leave. */
static bool node_has_ram(int nid)
{
	if (first_nodes >> nid & 1)
		return true;
	for (unsigned int type = 0; type < MAX_NR_ZONES; type++)
		if (node_zone(nid, type)->present)
			return true;
	return false;
}

/* Sets the home of the CPUs of node nid. */
static void set_home(int nid, const struct node_order *order)
{
	unsigned int i = 0;

	while (i < order->nr && !node_has_ram(order->node[i]))
		i++;
	for (unsigned int cpu = 0; i < order->nr && cpu < nr_named; cpu++)
		if (cpu_nodes[cpu] == nid) {
			__atomic_store_n(&cpu_homes[cpu], order->node[i], __ATOMIC_RELAXED);
			cache_set_home(cpu, order->node[i]);
		}
}

static uint8_t *next_list; /* where the next list is written */
static unsigned int list_bytes;
static int nr_lists; /* node_zonelists[] from here on are empty */

/* Writes the list of node nid, and sets the home of its CPUs. */
static void write_list(int nid, const struct node_order *order)
{
	uint8_t *at = next_list;

	for (unsigned int i = 0; i < order->nr; i++)
		for (unsigned int type = ZONE_HOTPLUG; type--;)
			at = append(at, order->node[i], type);
	for (unsigned int i = 0; i < order->nr; i++)
		at = append(at, order->node[i], ZONE_HOTPLUG);
	*at = ZONE_NONE;
	__atomic_store_n(&node_zonelists[nid], next_list, __ATOMIC_RELEASE);
	next_list += list_bytes;
	set_home(nid, order);
}

void numa_set_homes(void)
{
	for_orders(set_home);
}

void numa_make_lists(void)
{
	unsigned int lowest = 0; /* zones that are not Hotplug */

	first_nodes = 0;
	for_each_zone(z) {
		first_nodes |= 1ull << z->node;
		lowest += z->type != ZONE_HOTPLUG;
	}
	list_bytes = lowest + MAX_NUMNODES + 1;
	next_list = zone_metadata((uint64_t)list_bytes * (uint64_t)nr_node_ids(), 0);
	while (nr_lists > nr_node_ids())
		node_zonelists[--nr_lists] = no_zones;
	nr_lists = nr_node_ids();
	for_orders(write_list);
}

/* Returns the place of a node in an order. */
static unsigned int rank_of(const struct node_order *order, int nid)
{
	unsigned int i = 0;

	while (i < order->nr && order->node[i] != nid)
		i++;
	return i;
}

static const struct zone *to_insert; /* that numa_add_zone() inserts */

/*
 * Inserts to_insert into the list of node nid, among the Hotplug zones. Those behind it move, the
 * last one first, so that each of them is in the list at any time. The list of a node that was not
 * known is written instead.
 */
static void insert_zone(int nid, const struct node_order *order)
{
	uint8_t *list = (uint8_t *)(uintptr_t)node_zonelists[nid];
	unsigned int rank = rank_of(order, to_insert->node), at = 0, end;

	if (list == no_zones) {
		if (nid == to_insert->node)
			write_list(nid, order);
		return;
	}
	while (list[at] != ZONE_NONE && (state_zones[list[at]]->type != ZONE_HOTPLUG ||
					 rank_of(order, state_zones[list[at]]->node) < rank))
		at++;
	for (end = at; list[end] != ZONE_NONE; end++)
		;
	for (end++; end > at; end--)
		__atomic_store_n(&list[end], list[end - 1], __ATOMIC_RELEASE);
	__atomic_store_n(&list[at], to_insert->id, __ATOMIC_RELEASE);
}

void numa_add_zone(const struct zone *z, void *memory)
{
	node_set_online(z->node);
	if (nr_lists < nr_node_ids())
		nr_lists = nr_node_ids();
	next_list = memory;
	to_insert = z;
	for_orders(insert_zone);
}

bool numa_has_list(int nid)
{
	return node_zonelists[nid] != no_zones;
}
