# @summary The environment of Pacemaker's daemons. They read it when they start.
class sirikata::defaults {
  file { '/etc/default/pacemaker':
    ensure  => file,
    owner   => 'root',
    group   => 'root',
    mode    => '0644',
    content => file('sirikata/pacemaker-defaults'),
  }
}
