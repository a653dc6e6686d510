/* SPDX-License-Identifier: MIT */
/*
 * numa.c: the nodes, and the order in which each of them asks the zones.
 */
#include "mm/zone.h"

static uint64_t online = 1;                           /* bit i: node i is known */
static uint8_t distances[MAX_NUMNODES][MAX_NUMNODES]; /* [from][to]; 0: not set */
static int nr_distances;                              /* rows that may have a distance */
static int cpu_nodes[MM_MAX_CPUS];
int cpu_homes[MM_MAX_CPUS];

/* The fallback lists: numbers of zones, and ZONE_NONE behind the last. */
static const uint8_t no_zones[] = { ZONE_NONE };
const uint8_t *node_zonelists[MAX_NUMNODES] = { [0 ... MAX_NUMNODES - 1] = no_zones };

void numa_init(void)
{
	while (nr_distances)
		memset(distances[--nr_distances], 0, sizeof(distances[0]));
	memset(cpu_nodes, 0, sizeof(cpu_nodes));
	memset(cpu_homes, 0, sizeof(cpu_homes));
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

/*
 * Orders the nodes of a set, nearest to nid first. times_first[] has how often each node was the
 * first at its distance. The ring begins with nid.
 */
static void order_nodes(struct node_order *o, int nid, uint64_t nodes,
			uint16_t times_first[MAX_NUMNODES])
{
	uint64_t part = nodes >> nid << nid, wrapped = nodes ^ part;
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
		add_node(o, node, away << 16 | times_first[node]);
	}
	for (unsigned int i = 0; i < o->nr; i++) {
		if (o->key[i] >> 16 != distance)
			times_first[o->node[i]]++;
		distance = o->key[i] >> 16;
	}
}

/* Appends the zone of a node and type to a list, if there is one. Returns the list's end. */
static uint8_t *append(uint8_t *at, int nid, unsigned int type)
{
	if (node_zone(nid, type) != &no_zone)
		*at++ = node_zone(nid, type)->id;
	return at;
}

/* Writes the list of the nodes in order[]. Returns where it ends. */
static uint8_t *write_list(uint8_t *at, const uint8_t *order, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		for (unsigned int type = ZONE_HOTPLUG; type--;)
			at = append(at, order[i], type);
	for (unsigned int i = 0; i < nr; i++)
		at = append(at, order[i], ZONE_HOTPLUG);
	*at++ = ZONE_NONE;
	return at;
}

void numa_make_lists(void)
{
	uint16_t times_first[MAX_NUMNODES] = { 0 };
	uint16_t of_unknown[MAX_NUMNODES] = { 0 }; /* lists that may be used by a CPU at most */
	struct node_order order;
	uint64_t with_ram = 0;
	unsigned int nr_zones = 0;
	uint8_t *at;

	for_each_zone(z) {
		with_ram |= 1ull << z->node;
		nr_zones++;
	}
	at = zone_metadata((nr_zones + 1) * (uint64_t)nr_node_ids(), 0);
	for (int nid = 0; nid < nr_node_ids(); nid++) {
		order_nodes(&order, nid, with_ram, node_online(nid) ? times_first : of_unknown);
		node_zonelists[nid] = at;
		at = write_list(at, order.node, order.nr);
		for (unsigned int cpu = 0; order.nr && cpu < MM_MAX_CPUS; cpu++)
			if (cpu_nodes[cpu] == nid)
				cpu_homes[cpu] = order.node[0];
	}
}
