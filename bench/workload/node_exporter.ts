/** The series of one machine as node_exporter shows them: 600 to 1,600, by its processors, disks and devices. */
import type { Random } from '../../src/base/index.ts';
import { addGoSeries, addScrapeSeries } from './runtime_series.ts';
import { Process, type SeriesSpec, SpecList } from './series_spec.ts';

const scrapeSeconds = 15;
const modes = {
  idle: 0.8,
  user: 0.12,
  system: 0.05,
  iowait: 0.01,
  softirq: 0.005,
  irq: 0,
  nice: 0,
  steal: 0,
};
const memoryMoving =
  'MemFree MemAvailable Cached Active Inactive Active_anon Inactive_anon Active_file Inactive_file AnonPages Slab SReclaimable SUnreclaim Mapped PageTables Committed_AS Buffers KernelStack Percpu'.split(
    ' ',
  );
const memorySmall = ['Dirty', 'Writeback', 'Shmem'];
const memoryConstant =
  'MemTotal SwapTotal SwapFree SwapCached CommitLimit VmallocTotal VmallocChunk HardwareCorrupted HugePages_Total HugePages_Free Hugepagesize Mlocked Unevictable Bounce NFS_Unstable WritebackTmp DirectMap4k DirectMap2M DirectMap1G AnonHugePages CmaTotal CmaFree'.split(
    ' ',
  );
const networkBusy = ['receive_bytes', 'transmit_bytes', 'receive_packets', 'transmit_packets'];
const networkQuiet =
  'receive_errs receive_drop receive_fifo receive_frame receive_compressed receive_multicast transmit_errs transmit_drop transmit_fifo transmit_colls transmit_carrier transmit_compressed'.split(
    ' ',
  );
const networkConstant =
  'mtu_bytes speed_bytes up carrier carrier_changes_total iface_id iface_link dormant flags'.split(' ');
const diskEvents = [
  'reads_completed_total',
  'writes_completed_total',
  'reads_merged_total',
  'writes_merged_total',
  'flush_requests_total',
];
const diskSeconds = [
  'read_time_seconds_total',
  'write_time_seconds_total',
  'io_time_seconds_total',
  'io_time_weighted_seconds_total',
  'flush_requests_time_seconds_total',
];
const mounts = ['/', '/boot', '/boot/efi', '/var/lib/docker', '/data', '/run', '/run/lock', '/tmp'];
const netstatEvents =
  'Tcp_InSegs Tcp_OutSegs Tcp_ActiveOpens Tcp_PassiveOpens Udp_InDatagrams Udp_OutDatagrams Ip_Forwarding IpExt_InOctets IpExt_OutOctets'.split(
    ' ',
  );
const netstatQuiet =
  'Tcp_RetransSegs Tcp_InErrs Tcp_OutRsts TcpExt_ListenDrops TcpExt_ListenOverflows TcpExt_TCPTimeouts TcpExt_SyncookiesSent TcpExt_SyncookiesRecv TcpExt_SyncookiesFailed Udp_InErrors Udp_NoPorts Udp_RcvbufErrors Udp_SndbufErrors UdpLite_InErrors Icmp_InErrors Icmp_InMsgs Icmp_OutMsgs Icmp6_InErrors Icmp6_InMsgs Udp6_InErrors Ip6_InOctets'.split(
    ' ',
  );
const units =
  'ssh cron docker containerd kubelet rsyslog systemd-networkd systemd-resolved chrony node_exporter'.split(
    ' ',
  );
const unitStates = ['active', 'activating', 'deactivating', 'inactive', 'failed'];

export function nodeExporterSeries(place: Readonly<Record<string, string>>, random: Random): SeriesSpec[] {
  const list = new SpecList(place);
  addProcessors(list, random, 4 << random.below(4));
  addMemory(list, random);
  addNetwork(list, random, 2 + random.below(6));
  addDisks(list, random, 1 + random.below(4));
  addKernel(list, random);
  addGoSeries(list, random);
  addScrapeSeries(list, random, list.specs.length);
  return list.specs;
}

function addProcessors(list: SpecList, random: Random, count: number): void {
  for (let k = 0; k < count; k++) {
    const cpu = `${k}`;
    const busy = 0.3 + 1.4 * random.next();
    for (const [mode, share] of Object.entries(modes)) {
      const rate = share * (share > 0.5 ? 1 : busy) * scrapeSeconds * 100;
      const process = rate === 0 ? Process.constant : rate < 10 ? Process.events : Process.amount;
      list.add(
        'node_cpu_seconds_total',
        process,
        { level: rate * random.below(1e6), rate, per: 100 },
        { cpu, mode },
      );
    }
    list.add('node_cpu_guest_seconds_total', Process.constant, {}, { cpu, mode: 'user' });
    list.add('node_cpu_guest_seconds_total', Process.constant, {}, { cpu, mode: 'nice' });
    list.add(
      'node_schedstat_running_seconds_total',
      Process.amount,
      { level: 9e15, rate: busy * 3e9, per: 1e9 },
      { cpu },
    );
    list.add(
      'node_schedstat_waiting_seconds_total',
      Process.amount,
      { level: 8e14, rate: busy * 2e8, per: 1e9 },
      { cpu },
    );
    list.add('node_schedstat_timeslices_total', Process.amount, { level: 1e9, rate: busy * 9000 }, { cpu });
    list.add('node_softnet_processed_total', Process.amount, { level: 1e8, rate: busy * 4000 }, { cpu });
    list.add('node_softnet_dropped_total', Process.constant, {}, { cpu });
    list.add('node_softnet_times_squeezed_total', Process.burst, { level: 900, rate: 2 }, { cpu });
    list.add(
      'node_cpu_scaling_frequency_hertz',
      Process.noise,
      { level: 2.4e6, rate: 3e5, per: 1e-3 },
      { cpu },
    );
    list.add('node_cpu_scaling_frequency_max_hertz', Process.constant, { level: 3.6e9 }, { cpu });
  }
}

function addMemory(list: SpecList, random: Random): void {
  const total = 2 ** (23 + random.below(4));
  for (const name of memoryMoving) {
    const level = total * random.next() * 0.5;
    list.add(`node_memory_${name}_bytes`, Process.walk, { level, rate: 30 + level / 5000, per: 1 / 1024 });
  }
  for (const name of memorySmall)
    list.add(`node_memory_${name}_bytes`, Process.noise, { level: 900, rate: 300, per: 1 / 1024 });
  for (const name of memoryConstant)
    list.add(`node_memory_${name}_bytes`, Process.constant, {
      level: random.below(3) === 0 ? 0 : total,
      per: 1 / 1024,
    });
}

function addNetwork(list: SpecList, random: Random, count: number): void {
  const devices = ['lo', 'eth0', 'docker0', 'cni0', 'eth1', 'flannel.1', 'veth1a2b', 'veth3c4d'].slice(
    0,
    count,
  );
  for (const device of devices) {
    const packets = random.below(4) === 0 ? 0 : 10 ** (1 + 4 * random.next());
    for (const name of networkBusy) {
      const rate = name.endsWith('bytes') ? packets * 700 : packets;
      const process = rate === 0 ? Process.constant : Process.amount;
      list.add(`node_network_${name}_total`, process, { level: rate * random.below(1e5), rate }, { device });
    }
    for (const name of networkQuiet) {
      const process = random.below(8) === 0 ? Process.burst : Process.constant;
      list.add(`node_network_${name}_total`, process, { level: random.below(3) * 17, rate: 3 }, { device });
    }
    for (const name of networkConstant)
      list.add(`node_network_${name}`, Process.constant, { level: random.below(1500) }, { device });
    list.add(
      'node_network_info',
      Process.constant,
      { level: 1 },
      { device, operstate: 'up', duplex: 'full' },
    );
  }
}

function addDisks(list: SpecList, random: Random, count: number): void {
  for (let k = 0; k < count; k++) {
    const device = random.below(2) === 0 ? `nvme${k}n1` : `sd${'abcdefgh'[k]}`;
    const busy = k === 0 ? 300 : 10 ** (random.next() * 3 - 1);
    for (const name of diskEvents)
      list.add(`node_disk_${name}`, Process.events, { level: busy * 1e4, rate: busy }, { device });
    for (const name of ['read_bytes_total', 'written_bytes_total'])
      list.add(
        `node_disk_${name}`,
        Process.amount,
        { level: busy * 1e6, rate: busy * 24, per: 1 / 512 },
        { device },
      );
    for (const name of diskSeconds)
      list.add(
        `node_disk_${name}`,
        Process.amount,
        { level: busy * 1e4, rate: busy * 2, per: 1000 },
        { device },
      );
    list.add('node_disk_io_now', Process.smallSet, { rate: 4 }, { device });
    list.add(
      'node_disk_info',
      Process.constant,
      { level: 1 },
      { device, major: '259', minor: `${k}`, model: 'SAMSUNG MZQL23T8HCLS' },
    );
  }
  for (const [k, mountpoint] of mounts.slice(0, 3 + random.below(6)).entries()) {
    const labels = {
      device: `/dev/nvme0n1p${k + 1}`,
      fstype: mountpoint.startsWith('/run') ? 'tmpfs' : 'ext4',
      mountpoint,
    };
    const blocks = 2 ** (18 + random.below(10));
    const isBusy = k === 0 || random.below(3) === 0;
    for (const name of ['avail_bytes', 'free_bytes'])
      list.add(
        `node_filesystem_${name}`,
        isBusy ? Process.walk : Process.slow,
        { level: blocks / 2, rate: 20, per: 1 / 4096 },
        labels,
      );
    list.add('node_filesystem_size_bytes', Process.constant, { level: blocks, per: 1 / 4096 }, labels);
    list.add('node_filesystem_files', Process.constant, { level: blocks / 4 }, labels);
    list.add(
      'node_filesystem_files_free',
      isBusy ? Process.walk : Process.slow,
      { level: blocks / 5, rate: 4 },
      labels,
    );
    list.add('node_filesystem_readonly', Process.constant, {}, labels);
    list.add('node_filesystem_device_error', Process.constant, {}, labels);
  }
}

function addKernel(list: SpecList, random: Random): void {
  const busy = 0.2 + 2 * random.next();
  for (const name of netstatEvents)
    list.add(`node_netstat_${name}`, Process.amount, { level: busy * 1e9, rate: busy * 20_000 });
  for (const name of netstatQuiet)
    list.add(`node_netstat_${name}`, random.below(3) === 0 ? Process.burst : Process.constant, {
      level: random.below(5000),
      rate: 5,
    });
  list.add('node_netstat_Tcp_CurrEstab', Process.noise, { level: busy * 150, rate: 6 });
  for (const name of ['sockets_used', 'TCP_alloc', 'TCP_inuse', 'TCP_mem', 'TCP_tw'])
    list.add(`node_sockstat_${name}`, Process.noise, { level: busy * 300, rate: 9 });
  for (const name of ['TCP_orphan', 'UDP_inuse', 'UDP_mem', 'RAW_inuse', 'FRAG_inuse', 'FRAG_memory'])
    list.add(`node_sockstat_${name}`, Process.constant, { level: random.below(6) });
  for (const name of ['load1', 'load5', 'load15'])
    list.add(`node_${name}`, Process.walk, { level: busy * 150, rate: name === 'load1' ? 12 : 2, per: 100 });
  for (const [name, rate] of Object.entries({
    context_switches_total: 2e5,
    intr_total: 1e5,
    forks_total: 90,
  }))
    list.add(`node_${name}`, Process.amount, { level: rate * 1e4, rate: rate * busy });
  for (const [name, rate] of Object.entries({
    pgfault: 5e4,
    pgmajfault: 0.2,
    pgpgin: 90,
    pgpgout: 4000,
    pswpin: 0,
    pswpout: 0,
    oom_kill: 0,
  }))
    list.add(`node_vmstat_${name}`, rate === 0 ? Process.constant : Process.events, {
      level: rate * 1e4,
      rate,
    });
  list.add('node_procs_running', Process.smallSet, { rate: 6 });
  list.add('node_procs_blocked', Process.smallSet, { rate: 1 });
  list.add('node_entropy_available_bits', Process.constant, { level: 256 });
  list.add('node_filefd_allocated', Process.noise, { level: busy * 50, rate: 2, per: 1 / 32 });
  list.add('node_filefd_maximum', Process.constant, { level: 2 ** 53 });
  list.add('node_boot_time_seconds', Process.constant, { level: 1.76e9 });
  list.add('node_time_seconds', Process.clock, { per: 1e6 });
  for (const name of [
    'offset_seconds',
    'estimated_error_seconds',
    'maxerror_seconds',
    'frequency_adjustment_ratio',
  ])
    list.add(`node_timex_${name}`, Process.noise, { level: 2e5, rate: 9e4, per: 1e9 });
  for (const name of [
    'status',
    'sync_status',
    'tick_seconds',
    'pps_jitter_seconds',
    'pps_error_total',
    'tai_offset_seconds',
  ])
    list.add(`node_timex_${name}`, Process.constant, { level: random.below(2) });
  for (let sensor = 1; sensor <= 6; sensor++)
    list.add(
      'node_hwmon_temp_celsius',
      Process.noise,
      { level: 52, rate: 1 },
      { chip: 'platform_coretemp_0', sensor: `temp${sensor}` },
    );
  for (const name of units)
    for (const state of unitStates)
      list.add(
        'node_systemd_unit_state',
        Process.constant,
        { level: state === 'active' ? 1 : 0 },
        { name: `${name}.service`, state, type: 'simple' },
      );
  for (const resource of ['cpu', 'io', 'memory'])
    list.add(`node_pressure_${resource}_waiting_seconds_total`, Process.amount, {
      level: 4e9,
      rate: 4e4 * busy,
      per: 1e6,
    });
  list.add(
    'node_uname_info',
    Process.constant,
    { level: 1 },
    { machine: 'x86_64', nodename: 'host', release: '6.8.0-45-generic', sysname: 'Linux' },
  );
  list.add(
    'node_exporter_build_info',
    Process.constant,
    { level: 1 },
    { version: '1.9.1', goversion: 'go1.24.1', branch: 'HEAD' },
  );
}
