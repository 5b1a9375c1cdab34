# Starts a systemd as process 1 of namespaces of its own, over a layer of this machine's Debian that is thrown away. PLACE: an
# empty folder; NAME: of the control group; PROGRAM and UNIT: what is tried. The layer has no network but its own loopback.
set -eu
umask 022
mount --make-rprivate /
mount -t tmpfs -o size=1g,mode=755 none "$PLACE"
cd "$PLACE"
mkdir upper work root groups
mount -t cgroup2 none groups
own=$(sed -n 's/^0:://p' /proc/self/cgroup)
mkdir "groups$own/$NAME"
echo $$ > "groups$own/$NAME/cgroup.procs"
mount -t overlay overlay -o "lowerdir=/,upperdir=$PLACE/upper,workdir=$PLACE/work" root
mount -t tmpfs -o mode=755 none root/dev
for device in null zero full random urandom tty; do
  touch "root/dev/$device"
  mount --bind "/dev/$device" "root/dev/$device"
done
# What systemd makes a private /dev of.
mkdir root/dev/pts root/dev/shm root/dev/mqueue root/dev/hugepages
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 none root/dev/pts
ln -s pts/ptmx root/dev/ptmx
mount -t tmpfs -o mode=755 none root/run
mount -t tmpfs none root/tmp

rm -f root/usr/bin/holdpoint
cp "$PROGRAM" root/usr/bin/holdpoint
cp "$UNIT" root/etc/systemd/system/holdpoint.service
# As the unit's own comment says.
chroot root useradd --system --home-dir /var/lib/holdpoint --shell /usr/sbin/nologin holdpoint
chroot root /usr/bin/holdpoint init /etc/holdpoint > /dev/null
# What would change the machine itself, or wait for what is not here.
for unit in systemd-sysctl systemd-modules-load systemd-udevd systemd-udev-trigger systemd-remount-fs systemd-logind \
  systemd-random-seed systemd-timesyncd systemd-networkd networking apparmor; do
  ln -sf /dev/null "root/etc/systemd/system/$unit.service"
done
exec unshare --pid --cgroup --uts --ipc --net --fork --kill-child sh -euc '
  mount -t proc proc root/proc
  mount --bind root/proc/sys root/proc/sys
  mount -o remount,bind,ro root/proc/sys
  mount -t sysfs -o ro sysfs root/sys
  mount -t cgroup2 none root/sys/fs/cgroup
  # Not chroot alone: a service has namespaces of its own, which systemd can only make below a root that is a mount.
  cd root
  mkdir former
  pivot_root . former
  exec chroot . sh -euc "umount -l /former; rmdir /former
    exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
      /usr/lib/systemd/systemd --system --unit=basic.target --log-target=console --show-status=no"
'
